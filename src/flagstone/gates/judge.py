"""Whether a stage's gate is open, and if not why: judged from content digests, never from guesses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from pathlib import Path
from stat import S_ISREG
from typing import Any

from flagstone.gates.content import Content, content_of, offer_of
from flagstone.gates.copies import is_spent
from flagstone.gates.opened import OpenedRun
from flagstone.gates.turns import Publication, asked_after, changed_settings, publication, reasons
from flagstone.layout import Run
from flagstone.seals import Seal, decisions, last_decision, newest
from flagstone.stages import Stage

SKEW_NS = 2_000_000_000  # a flag may be this far ahead of our clock


class State(StrEnum):
    """What a gate is found to be."""

    NOT_YET = "not yet"
    DUE = "due"  # published, but to be built again
    WAITING = "waiting"
    REVOKED = "revoked"
    STALE = "stale"
    APPROVED = "approved"


@dataclass(frozen=True)
class Verdict:
    """The judgement on one gate. `fresh` marks an approval that is not sealed yet."""

    stage: Stage
    state: State
    reason: str = ""
    content: Content | None = None
    attempt: int = 0
    fresh: bool = False

    @property
    def is_open(self) -> bool:
        return self.state is State.APPROVED

    @property
    def words(self) -> str:
        """What is said of the stage after its name."""
        return f"is to be built again ({self.reason})" if self.state is State.DUE else self.reason


@dataclass(frozen=True)
class Flag:
    """A person's approval file, as it lies on disk. `made_ns` cannot be set by whoever made it."""

    mtime_ns: int
    made_ns: int
    ahead: bool


def flag_of(run: Run, nr: str, now_ns: int) -> Flag | None:
    try:
        stat = os.stat(run.flag(nr))
    except OSError:
        return None
    if not S_ISREG(stat.st_mode):
        return None
    return Flag(stat.st_mtime_ns, stat.st_ctime_ns, ahead=stat.st_mtime_ns > now_ns + SKEW_NS)


def judge_gate(opened: OpenedRun, stage: Stage, now_ns: int) -> Verdict:
    """The state of one gate by itself; that everything before it is open is the caller's to see."""
    run = opened.run
    was = publication(run, stage)
    content = content_of(opened, stage)
    flag = flag_of(run, stage.nr, now_ns)
    early = f" (approved/{stage.nr}.flag was there before the stage: it is not an approval)" if flag else ""
    if content is None:
        if was is None:
            return Verdict(stage, State.NOT_YET, f"is not built yet{early}")
        return Verdict(stage, State.DUE, "is to be published again", attempt=was.attempt)
    attempt = was.attempt if was else 0
    if was:
        turn = asked_after(opened, stage, was)
        if turn != was.turn and turn.key != was.turn.key:
            return Verdict(stage, State.DUE, "; ".join(reasons(opened, stage, turn, was)), content, attempt)
    return gate_verdict(opened, stage, content, was, flag, now_ns)


def gate_verdict(
    opened: OpenedRun, stage: Stage, content: Content, was: Publication | None, flag: Flag | None, now_ns: int
) -> Verdict:
    """The judgement on a stage that is built and up to date."""
    run, attempt = opened.run, was.attempt if was else 0
    known = decisions(run, stage.nr)
    last, seal = newest(known), newest(known, "approved")
    if flag is None:
        if seal:
            return Verdict(stage, State.REVOKED, "was approved, and the approval was taken back", content, attempt)
        return Verdict(stage, State.WAITING, "waits for you", content, attempt)
    drift = drifted(opened, stage, content, seal)
    if seal and not drift:
        restored = last is not None and last.event != "approved"
        return Verdict(stage, State.APPROVED, "is approved", content, attempt, fresh=restored)
    if flag.ahead:
        why = (
            f"waits for you: approved/{stage.nr}.flag is dated in the future, which is not an approval; touch it again"
        )
        return Verdict(stage, State.STALE if seal else State.WAITING, why, content, attempt)
    is_old = is_spent(run, stage.key, stage.nr, flag.mtime_ns)
    if seal and (is_old or flag.mtime_ns == seal.flag_mtime_ns):
        return Verdict(stage, State.STALE, "changed after it was approved: " + "; ".join(drift), content, attempt)
    if is_old:
        why = f"waits for you: approved/{stage.nr}.flag came along with this copy of the run; touch it again to approve"
        return Verdict(stage, State.WAITING, why, content, attempt)
    late = changed_after(opened, stage, content, flag)
    if not late:
        return Verdict(stage, State.APPROVED, "is approved", content, attempt, fresh=True)
    if seal:
        return Verdict(stage, State.STALE, "changed after it was approved: " + "; ".join(drift), content, attempt)
    why = f"waits for you: approved/{stage.nr}.flag is older than {late}, so it is not an approval of it"
    return Verdict(stage, State.WAITING, why, content, attempt)


def drifted(opened: OpenedRun, stage: Stage, content: Content, seal: Seal | None) -> list[str]:
    """What differs from what was sealed, in words; empty when the seal still fits."""
    if seal is None:
        return []
    found = []
    if seal.digest != content.digest:
        found = content.changes_since(seal.files, seal.index)
        found = found[:6] + ([f"and {len(found) - 6} more"] if len(found) > 6 else [])
        found = found or ["its content changed"]
    return found + settings_drift(opened, stage)


def settings_drift(opened: OpenedRun, stage: Stage) -> list[str]:
    """Which settings of an approved stage have changed since its seal, in words."""
    seal = last_decision(opened.run, stage.nr, event="approved")
    return changed_settings(opened.stage_facts(stage), seal.settings) if seal else []


def as_mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def changed_after(opened: OpenedRun, stage: Stage, content: Content, flag: Flag) -> str:
    """Which file is younger than the flag ('' for none). Untouched files are judged by when we published them."""
    offer = offer_of(opened.run, stage) or {}
    built_ns = int(offer.get("built_ns", 0))
    if min(flag.mtime_ns, flag.made_ns) < built_ns:
        return f"attempt {offer.get('attempt', '?')} of the stage"
    offered = {str(row.get("path")): row.get("digest") for row in offer["artifacts"] if isinstance(row, dict)}
    offered[opened.run.relative(opened.run.summary(stage.key))] = offer.get("summary")
    moved = [opened.run.root / path for path, digest in content.files.items() if digest != offered.get(path)]
    moved += [opened.run.index(kind) for kind in content.index_changes(as_mapping(offer.get("index")))]
    # a file that is gone has no time: no touch can be an approval of that
    return next((opened.run.relative(path) for path in moved if changed_ns(path) > flag.mtime_ns), "")


def changed_ns(path: Path) -> float:
    """When a file was last changed: its ctime, which unlike its mtime nobody can set back."""
    try:
        return os.stat(path).st_ctime_ns
    except OSError:
        return inf


def judge_gates(opened: OpenedRun, now_ns: int) -> list[tuple[Verdict, Stage | None]]:
    """Every stage's verdict with the first closed stage it rests on, if any."""
    closed: dict[str, Stage] = {}
    found: list[tuple[Verdict, Stage | None]] = []
    with opened.one_moment():
        for stage in opened.table:
            holder = next((closed[up.nr] for up in opened.table.ancestors(stage.nr) if up.nr in closed), None)
            verdict = judge_gate(opened, stage, now_ns)
            if not verdict.is_open:
                closed[stage.nr] = stage
            found.append((verdict, holder))
    return found
