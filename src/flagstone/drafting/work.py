"""What one stage is working on: its open turn, its conversation and its attempts, as records on disk."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from flagstone.errors import WorkFailed
from flagstone.gates import Publication, Turn, turn_file
from flagstone.layout import Run
from flagstone.records import cannot_write, read_as, read_record, write_record
from flagstone.stages import Stage

Why = Literal["start", "redo", "refine", "revise"]


@dataclass(frozen=True)
class OpenTurn:
    """A turn that is under way. It survives kills: the next call goes on with it."""

    key: str
    turn: Turn
    why: Why
    session_id: str
    used: bool  # whether the conversation may exist on the agent's side
    first_attempt: int
    fresh_starts: int = 0
    failure: Mapping[str, Any] = field(default_factory=dict)

    def to_record(self) -> dict[str, object]:
        return {**vars(self), "turn": self.turn.to_record()}


def open_turn_of(run: Run, nr: str) -> OpenTurn | None:
    """The turn under way, if its record can be read."""
    return read_as(turn_file(run, nr), OpenTurn)


def save(run: Run, nr: str, work: OpenTurn) -> OpenTurn:
    write_record(turn_file(run, nr), work.to_record())
    return work


def start_turn(run: Run, stage: Stage, turn: Turn, was: Publication | None) -> OpenTurn:
    """The turn to work on: the open one where it asks for the same, otherwise a new one."""
    opened = open_turn_of(run, stage.nr)
    if opened and turn.key in (opened.key, opened.turn.key_without_limits):
        if not opened.failure:
            return opened
        # a person ran it again: a new round of attempts in the same conversation
        return save(
            run,
            stage.nr,
            replace(opened, failure={}, first_attempt=first_of_round(run, stage.nr), fresh_starts=0),
        )
    why = reason_for(turn, was, opened)
    known = opened.session_id if opened else was.session_id if was else ""
    goes_on = why in ("refine", "revise") and known
    return save(
        run,
        stage.nr,
        OpenTurn(
            key=turn.key,
            turn=turn,
            why=why,
            session_id=known if goes_on else new_session(),
            used=bool(goes_on),
            first_attempt=next_attempt(run, stage.nr),
        ),
    )


def reason_for(turn: Turn, was: Publication | None, opened: OpenTurn | None) -> Why:
    """Why this turn is needed, compared with the stage's last one."""
    before = opened.turn if opened else was.turn if was else None
    if before is None:
        return "start"
    if turn.redo != before.redo:
        return "redo"
    return "refine" if turn.feedback != before.feedback else "revise"


def fresh_conversation(run: Run, nr: str, work: OpenTurn) -> OpenTurn:
    """A new conversation for the same turn. A used session id is never started again."""
    renewed = replace(work, session_id=new_session(), used=False, fresh_starts=work.fresh_starts + 1)
    return save(run, nr, renewed)


def new_session() -> str:
    import uuid  # here, not above: `status` reads turns and starts none

    return str(uuid.uuid4())


@dataclass(frozen=True)
class Attempt:
    """One folder drafts/NN/<attempt>/: everything about one agent call, never overwritten."""

    number: int
    folder: Path

    @property
    def draft(self) -> Path:
        return self.folder / "draft.md"

    @property
    def prompt(self) -> Path:
        return self.folder / "prompt.md"

    @property
    def events(self) -> Path:
        """What the agent did, one readable line an event, written as it happens."""
        return self.folder / "events.log"

    @property
    def result(self) -> Path:
        return self.folder / "result.json"

    @property
    def checks(self) -> Path:
        return self.folder / "checks.json"

    def failed_rules(self) -> tuple[tuple[str, str], ...]:
        """Rule id and message of every check that failed, as they were recorded."""
        record = read_record(self.checks) or {}
        rows = record.get("checks")
        return tuple(
            (str(row.get("rule")), str(row.get("message")))
            for row in (rows if isinstance(rows, list) else [])
            if isinstance(row, dict) and row.get("status") == "failed"
        )

    def record(self, path: Path) -> Mapping[str, Any] | None:
        return read_record(path)


def attempt_numbers(run: Run, nr: str) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(run.drafts(nr)) if name.isdecimal())
    except OSError:
        return []


def next_attempt(run: Run, nr: str) -> int:
    return max(attempt_numbers(run, nr), default=0) + 1


def first_of_round(run: Run, nr: str) -> int:
    """The first attempt of a new round: the last draft if nobody has judged it yet, or else a new one."""
    last = max(attempt_numbers(run, nr), default=0)
    made = attempt(run, nr, last)
    is_unjudged = (read_record(made.result) or {}).get("outcome") == "ok" and not made.checks.exists()
    return last if last and is_unjudged else last + 1


def attempt(run: Run, nr: str, number: int) -> Attempt:
    return Attempt(number, run.drafts(nr) / f"{number:03d}")


def attempts_since(run: Run, nr: str, first: int) -> list[Attempt]:
    return [attempt(run, nr, number) for number in attempt_numbers(run, nr) if number >= first]


def make_folder(new: Attempt) -> None:
    """Makes the folder of a new attempt, with an empty draft in it."""
    try:
        new.folder.mkdir(parents=True, mode=0o700)
        new.draft.touch()
    except FileExistsError as error:
        raise WorkFailed(f"{new.folder} already exists", hint="wait until the other call has ended") from error
    except OSError as error:
        raise cannot_write(new.folder, error) from error
