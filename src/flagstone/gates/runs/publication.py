"""What a stage was last published from, and the turn it works on: the records in drafts/NN/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from flagstone.layout import Run
from flagstone.records import canonical, decode_or_none, digest_value, read_as, read_record


@dataclass(frozen=True)
class Turn:
    """Everything that makes a stage run again when it changes."""

    feedback: str
    redo: int
    upstream: Mapping[str, str]
    settings: Mapping[str, object]

    @cached_property
    def key(self) -> str:
        return digest_value(self.to_record())[:16]

    @property
    def key_without_limits(self) -> str:
        settings = {name: value for name, value in self.settings.items() if name != "limits"}
        return replace(self, settings=settings).key

    def to_record(self) -> dict[str, object]:
        names = ("feedback", "redo", "upstream", "settings")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Publication:
    """What the version on disk was made from, and under which name history keeps it."""

    turn: Turn
    attempt: int = 0
    version: str = ""
    session_id: str = ""


def publication_file(run: Run, nr: str) -> Path:
    """The record of what a stage last published."""
    return run.below("drafts", nr, "published.json")


def turn_file(run: Run, nr: str) -> Path:
    """The record of the turn a stage is working on."""
    return run.below("drafts", nr, "turn.json")


def last_publication(run: Run, nr: str, offer: Mapping[str, Any] | None) -> Publication | None:
    """The last publication: from its own record or, if that is broken, from the stage's offer."""
    found = read_as(publication_file(run, nr), Publication)
    return found or (decode_or_none(canonical(offer), Publication) if offer else None)


def failure_of(run: Run, nr: str, key: str) -> dict[str, Any]:
    """How the turn with this key failed: problem, hint and exit code. Empty if it did not fail."""
    record = read_record(turn_file(run, nr)) or {}
    failure = record.get("failure")
    return failure if isinstance(failure, dict) and is_of_turn(record, key) else {}


def is_begun(run: Run, nr: str, key: str) -> bool:
    """Whether work on the turn with this key has begun."""
    return is_of_turn(read_record(turn_file(run, nr)) or {}, key)


def is_of_turn(record: Mapping[str, Any], key: str) -> bool:
    """Whether a record of an open turn is about the turn with this key; earlier versions counted limits in."""
    turn = decode_or_none(canonical(record.get("turn")), Turn)
    return record.get("key") == key or (turn is not None and turn.key_without_limits == key)
