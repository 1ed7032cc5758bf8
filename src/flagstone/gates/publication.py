"""What a stage was last published from, and the turn it works on: the records in drafts/NN/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from flagstone.layout import Run
from flagstone.records import digest_value, read_record


@dataclass(frozen=True)
class Turn:
    """Everything that makes a stage run again when it changes."""

    feedback: str = ""
    redo: int = 0
    upstream: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        return digest_value(self.to_record())[:16]

    def to_record(self) -> dict[str, object]:
        names = ("feedback", "redo", "upstream", "settings")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Publication:
    """What the version on disk was made from, and under which name history keeps it."""

    turn: Turn
    attempt: int
    version: str
    session_id: str


def turn_of(record: object) -> Turn | None:
    if not isinstance(record, dict):
        return None
    try:
        return Turn(
            feedback=str(record["feedback"]),
            redo=int(record["redo"]),
            upstream=dict(record["upstream"]),
            settings=dict(record["settings"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


def publication_file(run: Run, nr: str) -> Path:
    """The record of what a stage last published."""
    return run.below("drafts", nr, "published.json")


def turn_file(run: Run, nr: str) -> Path:
    """The record of the turn a stage is working on."""
    return run.below("drafts", nr, "turn.json")


def last_publication(run: Run, nr: str, offer: Mapping[str, Any] | None) -> Publication | None:
    """The last publication: from its own record or, if that is broken, from the stage's offer."""
    return publication_of(read_record(publication_file(run, nr))) or publication_of(offer)


def publication_of(record: Mapping[str, Any] | None) -> Publication | None:
    turn = turn_of(record.get("turn")) if record else None
    if record is None or turn is None:
        return None
    return Publication(
        turn=turn,
        attempt=int(record.get("attempt", 0)),
        version=str(record.get("version", "")),
        session_id=str(record.get("session_id", "")),
    )


def failure_of(run: Run, nr: str, key: str) -> dict[str, Any]:
    """How the turn with this key failed: problem, hint and exit code. Empty if it did not fail."""
    record = read_record(turn_file(run, nr)) or {}
    failure = record.get("failure")
    return failure if isinstance(failure, dict) and record.get("key") == key else {}


def is_begun(run: Run, nr: str, key: str) -> bool:
    """Whether work on the turn with this key has begun."""
    return (read_record(turn_file(run, nr)) or {}).get("key") == key
