"""What was found, on one screen: each finding with its value, how sure it is, and where it stands."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator
from typing import Any

from flagstone.setup.interview.question import MOST_CHARACTERS, RECOMMENDED, SetupQuestion
from flagstone.setup.project_finding import ProjectFinding
from flagstone.text import list_text, one_line


def finding_lines(findings: Iterable[ProjectFinding]) -> Iterator[str]:
    """One line a finding; below it its warning, and what lost with the reason."""
    for each in findings:
        place = f"  {list_text([one_line(place, MOST_CHARACTERS) for place in each.evidence], 2)}"
        yield f"{each.id:<11} {each.confidence:<8} {value_text(each.value)}{place if each.evidence else ''}"
        if each.note:
            yield f"{'':<20} {one_line(each.note, 200)}"
        for lost in each.lost[:3]:
            yield f"{'':<20} not {value_text(lost.value)}: {one_line(lost.why, MOST_CHARACTERS)}"
        if len(each.lost) > 3:
            yield f"{'':<20} and {len(each.lost) - 3} more"


def value_text(value: Any) -> str:
    """A value as one short line."""
    if value is None or value == [] or value == {}:
        return "none"
    if isinstance(value, str | int | float):
        return one_line(str(value), MOST_CHARACTERS)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return one_line(shlex.join(value), MOST_CHARACTERS)
    if isinstance(value, dict) and "name" in value:
        words = [value["name"], value.get("direction"), value.get("backend"), value.get("path") or value.get("glob")]
        return one_line(" ".join(str(word) for word in words if word), MOST_CHARACTERS)
    if isinstance(value, dict) and "style" in value:
        return one_line(arguments_text(value), MOST_CHARACTERS)
    if isinstance(value, dict) and "cures" in value:
        return one_line(value["python"] or "none", MOST_CHARACTERS)
    if isinstance(value, list) and all(isinstance(each, dict) and "value" in each for each in value):
        return one_line(" ".join(output_text(each) for each in value), MOST_CHARACTERS)
    if isinstance(value, dict):
        return one_line(" ".join(str(each) for each in value.values() if each and each is not True), MOST_CHARACTERS)
    return one_line(json.dumps(value, ensure_ascii=False), MOST_CHARACTERS)


def arguments_text(value: dict[str, Any]) -> str:
    pairs = " ".join(f"{key}={item}" for key, item in value.get("changeable", {}).items())
    return f"{pairs or 'none may change'}; {len(value.get('fixed', {}))} fixed"


def output_text(value: dict[str, Any]) -> str:
    """A folder outside of the run, and where it is moved to."""
    name = value.get("argument") or value.get("variable") or value.get("constant")
    return f"{name}={value['value']}" + (f" becomes {value['to']}" if "to" in value else "")


def question_lines(question: SetupQuestion) -> Iterator[str]:
    """A question and its numbered choices; the first is what Enter takes."""
    yield one_line(question.text, 400)
    for number, each in enumerate(question.choices, 1):
        mark = RECOMMENDED if number == 1 and question.is_sure else ""
        rest = f"  {each.description}" if each.description else ""
        yield f"  {number}  {each.label}{mark}{rest}"
