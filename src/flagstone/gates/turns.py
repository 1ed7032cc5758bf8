"""What is asked of a stage now, and what its last publication was made from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from flagstone.gates.content import content_of, offer_of
from flagstone.gates.opened import OpenedRun
from flagstone.layout import Run
from flagstone.records import digest_bytes, digest_value, read_record
from flagstone.seals import last_decision
from flagstone.stages import Stage


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
    """What the version on disk was made from, and where it is kept."""

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


def consumed_file(run: Run, nr: str) -> Path:
    return run.below("drafts", nr, "published.json")


def turn_file(run: Run, nr: str) -> Path:
    """The record of the turn a stage is working on."""
    return run.below("drafts", nr, "turn.json")


def failure_of(run: Run, nr: str, key: str) -> dict[str, Any]:
    """How the turn with this key failed, if it did: problem, hint and exit code."""
    record = read_record(turn_file(run, nr)) or {}
    failure = record.get("failure")
    return failure if isinstance(failure, dict) and record.get("key") == key else {}


def is_begun(run: Run, nr: str, key: str) -> bool:
    """Whether work on the turn with this key was begun."""
    return (read_record(turn_file(run, nr)) or {}).get("key") == key


def publication(run: Run, stage: Stage) -> Publication | None:
    """The last publication, from its own record or, where that is broken, from the offer."""
    return publication_of(read_record(consumed_file(run, stage.nr))) or publication_of(offer_of(run, stage))


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


def asked(opened: OpenedRun, stage: Stage) -> Turn:
    """What people and upstream stages ask of this stage now."""
    return asked_after(opened, stage, publication(opened.run, stage))


def asked_after(opened: OpenedRun, stage: Stage, was: Publication | None) -> Turn:
    """What is asked of a stage that was last published so."""
    feedback = pending_feedback(opened.run, stage.nr)
    turn = Turn(
        feedback=feedback if feedback is not None else (was.turn.feedback if was else ""),
        redo=redo_count(opened.run, stage.nr),
        upstream={up.nr: digest_of(opened, up) for up in opened.table.ancestors(stage.nr)},
        settings=opened.stage_facts(stage),
    )
    if was and is_settled(opened.run, stage, was) and same_request(turn, was.turn):
        # approved work is not thrown away over a changed setting: the gate says so instead
        return Turn(turn.feedback, turn.redo, turn.upstream, was.turn.settings)
    return turn


def same_request(turn: Turn, other: Turn) -> bool:
    """Whether two turns differ in nothing but their settings."""
    return (turn.feedback, turn.redo, turn.upstream) == (other.feedback, other.redo, other.upstream)


def is_settled(run: Run, stage: Stage, was: Publication) -> bool:
    """Whether a person has approved this very publication at some time."""
    decision = last_decision(run, stage.nr, event="approved")
    return decision is not None and decision.attempt == was.attempt


def digest_of(opened: OpenedRun, stage: Stage) -> str:
    content = content_of(opened, stage)
    return content.digest if content else ""


def pending_feedback(run: Run, nr: str) -> str | None:
    """The digest of the feedback file, if a person has written one."""
    try:
        words = run.feedback(nr).read_bytes()
    except OSError:
        return None
    return digest_bytes(words) if words.strip() else None


def redo_count(run: Run, nr: str) -> int:
    """How often this stage was asked to start anew: the marks taken up so far, and one that waits."""
    folder, taken = str(run.history(nr)), 0
    while os.path.exists(f"{folder}/redo-{taken + 1:04d}"):
        taken += 1
    return taken + int(os.path.exists(run.redo(nr)))


def changed_settings(now: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    """Which settings differ, in words."""
    found = []
    for key in sorted({*now, *before}):
        if now.get(key) == before.get(key):
            continue
        if key in ("prompt", "brief"):
            found.append(f"the {key} changed")
        elif isinstance(now.get(key), dict) and isinstance(before.get(key), dict):
            found.extend(f"{key}.{phrase}" for phrase in changed_settings(now[key], before[key]))
        else:
            found.append(f"{key} {shown(before.get(key))} → {shown(now.get(key))}")
    return found


def shown(value: object) -> str:
    return "the default" if value is None else str(value)


def reasons(opened: OpenedRun, stage: Stage, turn: Turn, was: Publication) -> list[str]:
    """Why a stage is to be built again, in words a person knows."""
    found = []
    if turn.feedback != was.turn.feedback:
        found.append(f"feedback/{stage.nr}.md asks for changes")
    if turn.redo != was.turn.redo:
        found.append(f"redo/{stage.nr} asks for a new start")
    changed = [nr for nr in turn.upstream if turn.upstream[nr] != was.turn.upstream.get(nr)]
    if changed:
        found.append(f"stage {', '.join(changed)} changed")
    return found + changed_settings(turn.settings, was.turn.settings)
