"""Reads the answers that a script or AskUserQuestion gives, and says everything that is wrong with them at once."""

from __future__ import annotations

import glob
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from flagstone import schemas
from flagstone.errors import FlagstoneError, suggestion
from flagstone.plans import constraint_of, direction_of
from flagstone.setup.interview.question import SetupQuestion
from flagstone.setup.interview.settled import Settled
from flagstone.text import one_line

SCHEMA = "setup_answers"
NONE = ("none", "", "no")
WHOLE = re.compile(r"[+-]?\d+\Z")


def read_answers(text: str | bytes, where: str) -> dict[str, Any]:
    """A document of answers. Of what AskUserQuestion returns, the part with the answers."""
    value = schemas.parse_yaml(text, where)
    if isinstance(value, dict) and isinstance(value.get("answers"), dict) and set(value) <= {"answers", "questions"}:
        value = value["answers"]
    if not isinstance(value, dict | None):
        raise FlagstoneError(f"{where} has to map questions to answers", hint="for example: seconds: 600")
    return dict(value or {})


def checked_answers(
    given: Mapping[str, Any], settled: Settled, questions: Mapping[str, SetupQuestion], folder: Path
) -> dict[str, Any]:
    """The answers in the form of the spec. Raises one error that names every problem."""
    by_text = {each.text: each for each in questions.values()}
    problems, found = list[str](), dict[str, Any]()
    for key, value in given.items():
        question = by_text.get(key) if isinstance(value, str) else None
        try:
            found[question.id if question else str(key)] = value_of_words(question, value) if question else value
        except ValueError as error:
            problems.append(f"{one_line(str(key), 60)}: {error}")
    problems += schemas.problems(folder, SCHEMA, found)
    if not problems:
        found = {name: whole_form(name, value, settled) for name, value in found.items()}
        problems += schemas.problems(folder, SCHEMA, found)
        problems += problems_in(found, settled)
    if problems:
        raise FlagstoneError(
            f"the answers: {'; '.join(dict.fromkeys(problems))}",
            hint=f"correct them; the questions are: {', '.join(schemas.schema_of(folder, SCHEMA)['properties'])}",
        )
    return found


def value_of_words(question: SetupQuestion, words: str) -> Any:
    """What a person's words mean as the answer to a question: labels of its choices, or free text.

    Raises ValueError if they mean nothing.
    """
    if (choice := question.choice_named(words)) is not None:
        return choice.value
    if not question.is_several:
        return READERS.get(question.id, str)(words.strip())
    values = list[Any]()
    for part in filter(str.strip, words.split(",")):
        chosen = question.choice_named(part)
        values += chosen.value if chosen else part.split() if question.id == "mutable" else [part.strip()]
    return list(dict.fromkeys(values))


def read_number(text: str) -> float | int:
    try:
        return int(text) if WHOLE.match(text) else float(text)
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a number") from None


def read_metric(text: str) -> dict[str, str]:
    """`val/acc max`, `val/acc=max`, or the name alone."""
    found = re.fullmatch(r"(.+?)(?:\s+|\s*=\s*)(min|max)", text)
    return {"name": found[1], "direction": found[2]} if found else {"name": text}


def read_backend(text: str) -> dict[str, str]:
    """A backend, and after it the file that it reads: `csv logs/metrics.csv`."""
    name, _, rest = text.partition(" ")
    place = {"tensorboard": "glob", "custom": "code", "log": "regex"}.get(name, "path")
    return {"name": name, place: rest.strip()} if rest.strip() else {"name": name}


def read_resume(text: str) -> Any:
    if text.lower() in NONE:
        return "none"
    kind = "flag" if text.startswith("-") else "variable" if text.isupper() else "key"
    return {kind: text}


def read_arguments(text: str) -> Any:
    """`keep`, `none`, or the arguments that may change: `lr=0.1 depth=3`."""
    if text in ("keep", "none"):
        return text
    return {"changeable": read_pairs(shlex.split(text))}


def read_pairs(words: list[str]) -> dict[str, Any]:
    """KEY=VALUE words as a mapping. Values are read as YAML reads them."""
    wrong = [word for word in words if not word.partition("=")[1]]
    if wrong:
        raise ValueError(f"{one_line(wrong[0], 60)!r} is not KEY=VALUE")
    pairs = (word.partition("=") for word in words)
    return {key.lstrip("-"): plain(value) for key, _, value in pairs}


def plain(text: str) -> Any:
    """A number, true, false, null, a list or text, as YAML reads it. 1e-4 is a number as well."""
    with suppress(ValueError):
        return float(text) if re.fullmatch(r"[+-]?[\d.]+[eE][+-]?\d+", text) else schemas.parse_yaml(text, "the value")
    return text


READERS: dict[str, Callable[[str], Any]] = {
    "seconds": read_number,
    "metric": read_metric,
    "backend": read_backend,
    "resume": read_resume,
    "arguments": read_arguments,
    "entry": lambda text: {"file": text},
    "checkpoint": lambda text: "none" if text.lower() in NONE else text,
    "wandb": lambda text: "none" if text.lower() in NONE else text,
}


def whole_form(name: str, value: Any, settled: Settled) -> Any:
    """An answer in its full form: what it leaves out is as it was found."""
    if name == "entry":
        row = {"file": value} if isinstance(value, str) else dict(value)
        known = [each for each in settled.finding("entry").candidates if isinstance(each, dict)]
        same = next((each for each in known if each["file"] == row["file"]), {"pattern": "custom"})
        return {**same, **row}
    if name == "backend":
        return {"name": value} if isinstance(value, str) else value
    if name == "seconds":
        return int(value) if value == int(value) else value
    if name in ("checkpoint", "wandb"):
        return value or "none"
    if name == "metric" and not value.get("direction"):
        metric = settled.metric
        known_direction = metric.get("direction") if metric.get("name") == value["name"] else None
        with suppress(FlagstoneError):
            return {**value, "direction": known_direction or direction_of(value["name"])}
    return value


def problems_in(found: Mapping[str, Any], settled: Settled) -> Iterator[str]:
    """What the schema cannot say: files that are not there, limits that cannot be read, a direction that is open."""
    root = settled.look.root
    if "entry" in found and not (root / found["entry"]["file"]).is_file():
        close = suggestion(found["entry"]["file"], settled.look.tree.paths)
        yield f"entry: there is no file {one_line(found['entry']['file'], 80)!r} in {root} {close}".rstrip()
    if "metric" in found and not found["metric"].get("direction"):
        yield f"metric.direction: is a lower or a higher {found['metric']['name']} better? (min or max)"
    for pattern in found.get("mutable", ()):
        if not glob.glob(pattern, root_dir=root, recursive=True):
            yield f"mutable: no file matches {one_line(pattern, 80)!r} {suggestion(pattern, settled.look.tree.paths)}"
    backend = found.get("backend", {})
    if backend.get("name") == "custom" and not backend.get("code"):
        yield "backend.code: custom needs a file with extract(run_dir, log_text)"
    if backend.get("code") and not (root / backend["code"]).is_file():
        yield f"backend.code: there is no file {one_line(backend['code'], 80)!r}"
    for text in found.get("constraints", ()):
        try:
            constraint_of(text)
        except FlagstoneError as error:
            yield f"constraints: {error.problem}"
