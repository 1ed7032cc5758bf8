"""What people and policies decided about a run, and what they asked for, in the order of time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flagstone import seals
from flagstone.agents.accounts import CallLine
from flagstone.drafting import work
from flagstone.gates import Moment, StageFiles, read_text
from flagstone.layout import Run
from flagstone.records import read_record, utc
from flagstone.status.model import approval_text
from flagstone.text import printable_text

SHOWN_CHARACTERS = 4_000
ABORTED_BY = re.compile(r"\s*\((\S+), (\d{4}-\S+Z)\)\s*\Z")


@dataclass(frozen=True)
class DecisionRow:
    """One decision, or one request, as the report shows it."""

    at: str
    nr: str
    what: str
    who: str = ""
    words: str = ""


def decisions_of(run: Run, moment: Moment, calls: Sequence[CallLine]) -> list[DecisionRow]:
    """Every decision and request, oldest first."""
    found = [*stops(run)]
    for files in moment.stages.values():
        found += [
            *seal_rows(files),
            *taken_up(run, files, calls),
            *open_requests(run, files),
            *taken_back(run, files.stage.nr),
        ]
    return sorted(found, key=lambda row: row.at)


def seal_rows(files: StageFiles) -> Iterator[DecisionRow]:
    for seal in files.decisions:
        what = approval_text(seal) if seal.event == "approved" else "approval taken back"
        yield row_of(seal.at, files.stage.nr, what, seal.who, seal.comment)


def taken_up(run: Run, files: StageFiles, calls: Sequence[CallLine]) -> Iterator[DecisionRow]:
    """The requests that an agent has worked on. Runs of earlier versions keep only the words of feedback."""
    nr = files.stage.nr
    began = {line.attempt: line.started_at for line in reversed(calls) if line.stage == nr}
    known, last_words = set[tuple[str, str]](), ""
    for number in work.attempt_numbers(run, nr):
        folder = work.attempt(run, nr, number).folder
        record, words = read_record(folder / "request.json"), read_text(folder / "feedback.md").strip()
        if record:
            why, who, at = (str(record.get(key, "")) for key in ("why", "who", "at"))
        else:
            why, who, at = "refine" if words not in ("", last_words) else "", "", began.get(number, "")
        last_words = words or last_words
        if why and (why, at) not in known:
            known.add((why, at))
            if why == "refine":
                yield row_of(at, nr, f"asked for changes (attempt {number})", who, words)
            else:
                yield row_of(at, nr, f"asked for a new start (attempt {number})", who)


def open_requests(run: Run, files: StageFiles) -> Iterator[DecisionRow]:
    """The requests that no attempt has taken up yet."""
    nr, was = files.stage.nr, files.publication
    opened = work.open_turn_of(run, nr)
    known = {was.turn.feedback if was else "", opened.turn.feedback if opened else ""}
    if files.feedback and files.feedback not in known:
        who, at = owner_of(run.feedback(nr))
        yield row_of(at, nr, "asks for changes; not taken up yet", who, read_text(run.feedback(nr)))
    if run.redo(nr).exists():
        who, at = owner_of(run.redo(nr))
        yield row_of(at, nr, "asks for a new start; not taken up yet", who)


def taken_back(run: Run, nr: str) -> Iterator[DecisionRow]:
    """The requests that a person took back, and the versions that a person restored."""
    for path in run.history(nr).glob("withdrawn-feedback-*"):
        who, at = owner_of(path)
        yield row_of(at, nr, "asked for changes; taken back", who, read_text(path))
    for path in run.history(nr).glob("withdrawn-redo-*"):
        who, at = owner_of(path)
        yield row_of(at, nr, "asked for a new start; taken back", who)
    for path in run.drafts(nr).glob("restored-*.json"):
        who, at = owner_of(path)
        yield row_of(at, nr, f"restored version {path.stem.removeprefix('restored-')}", who)


def stops(run: Run) -> Iterator[DecisionRow]:
    """When the whole run was stopped, and why."""
    for path in (run.aborted, *sorted((run.root / "history").glob("aborted-*"))):
        if not path.is_file():
            continue
        text = read_text(path)
        signed = ABORTED_BY.search(text)
        who, at = (signed[1], signed[2]) if signed else owner_of(path)
        what = "aborted the run" if path == run.aborted else "aborted the run; resumed since"
        yield row_of(at, "", what, who, ABORTED_BY.sub("", text))


def owner_of(path: Path) -> tuple[str, str]:
    """Whose file this is, and when it was last written."""
    try:
        stat = path.stat()
    except OSError:
        return "", ""
    return seals.login_name(stat.st_uid), utc(stat.st_mtime)


def row_of(at: str, nr: str, what: str, who: str, words: str = "") -> DecisionRow:
    shown = printable_text(words.strip()[:SHOWN_CHARACTERS])
    return DecisionRow(at, nr, what, who, shown + ("…" if len(words.strip()) > SHOWN_CHARACTERS else ""))
