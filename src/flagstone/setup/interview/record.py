"""What setup says of itself: findings.json beside the spec, and the shorter view for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flagstone.setup.interview.proposal import SetupProposal
from flagstone.setup.interview.question import MOST_CHARACTERS, SetupQuestion
from flagstone.setup.interview.settled import Settled
from flagstone.setup.project_finding import ProjectFinding
from flagstone.text import one_line

LARGEST = 8192
MOST_SKIPPED = 5


def findings_record(settled: Settled, questions: Mapping[str, SetupQuestion], notes: Sequence[str]) -> bytes:
    """findings.json: what was found, what the project left open, and every answer. The same answers give the same."""
    record = {
        "findings": [finding_row(each) for each in settled.look.findings.values()],
        "questions": [each.as_input() for each in questions.values() if each.is_open],
        "answers": dict(settled.answers),
        "topic": settled.topic,
        "notes": list(notes),
        "skipped": list(settled.look.skipped),
    }
    return json.dumps(printable(record, 400), indent=1, ensure_ascii=False, default=str).encode() + b"\n"


def finding_row(finding: ProjectFinding) -> dict[str, Any]:
    row = asdict(finding)
    return {key: value for key, value in row.items() if value or key in ("id", "value")}


def script_view(
    settled: Settled, rounds: Sequence[Sequence[SetupQuestion]], proposal: SetupProposal | None, next_line: str
) -> str:
    """What --json prints: at most 8 KB. What is cut is in findings.json."""
    view = {
        "root": str(settled.look.root),
        "ready": not rounds,
        "cut": False,
        "findings": [finding_row(each) for each in settled.look.findings.values()],
        "questions": [[each.as_input() for each in questions] for questions in rounds],
        "answers": dict(settled.answers),
        "spec": proposal.value if proposal else None,
        "notes": list(proposal.notes) if proposal else [],
        "skipped": list(settled.look.skipped[:MOST_SKIPPED]),
        "next": next_line,
    }
    files = {name: content.decode() for name, content in proposal.files.items()} if proposal else {}
    view = {**printable(view, None), "files": files}
    for cut in (lambda _: None, *CUTS):
        cut(view)
        text = as_json(view)
        if len(text.encode()) < LARGEST:
            return text
        view["cut"] = True
    return text


def as_json(view: Mapping[str, Any]) -> str:
    return json.dumps(view, ensure_ascii=False, default=str)


def printable(value: Any, limit: int | None) -> Any:
    """The same value; text of the project in it is one printable line each."""
    if isinstance(value, str):
        return value if limit is None and value.isprintable() else one_line(value, limit or 400)
    if isinstance(value, Mapping):
        return {printable(str(key), limit): printable(each, limit) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [printable(each, limit) for each in value]
    return value


def cut_lost(view: dict[str, Any]) -> None:
    for row in view["findings"]:
        row.pop("lost", None)


def cut_evidence(view: dict[str, Any]) -> None:
    for row in view["findings"]:
        row.update({"evidence": row["evidence"][:1]} if row.get("evidence") else {})


def cut_certain(view: dict[str, Any]) -> None:
    view["findings"] = [row for row in view["findings"] if row["confidence"] != "certain"]


def cut_values(view: dict[str, Any]) -> None:
    """Shortens the values of findings: the spec has them as they will be."""
    for row in view["findings"]:
        text = as_json(row["value"]) if not isinstance(row["value"], str) else row["value"]
        row["value"] = row["value"] if len(text) <= MOST_CHARACTERS else one_line(text, MOST_CHARACTERS)
        row.pop("note", None)


def cut_files(view: dict[str, Any]) -> None:
    view["files"] = sorted(view["files"])
    view["skipped"], view["notes"] = [], []


def cut_findings(view: dict[str, Any]) -> None:
    view["findings"] = []


def cut_spec(view: dict[str, Any]) -> None:
    view["spec"] = None


CUTS: tuple[Callable[[dict[str, Any]], None], ...] = (
    cut_lost,
    cut_evidence,
    cut_certain,
    cut_values,
    cut_files,
    cut_findings,
    cut_spec,
)
