"""Sealing an approval: who approved exactly which content, bound by its digest."""

from __future__ import annotations

import os
import time
from pathlib import Path

from flagstone import seals
from flagstone.errors import FlagstoneError
from flagstone.gates.judge import State, Verdict, judge_gate
from flagstone.gates.opened import OpenedRun
from flagstone.layout import Run
from flagstone.records import cannot_write, utc
from flagstone.seals import Decision
from flagstone.stages import Stage

DIGEST_CHARACTERS = 6  # the least of a digest that says which content is meant


def seal_touch(opened: OpenedRun, verdict: Verdict) -> None:
    """Records the approval a person gave by touching the flag: the file's owner, the time of the touch."""
    flag = opened.run.flag(verdict.stage.nr)
    decision = Decision(by="person", who=seals.owner_of(flag), at=utc(os.stat(flag).st_mtime), how="touch")
    seal(opened, verdict, decision)


def seal(opened: OpenedRun, verdict: Verdict, decision: Decision, flag: Path | None = None) -> None:
    """Appends the seal. The flag must be there: it is what the seal is the record of."""
    run, stage, content = opened.run, verdict.stage, verdict.content
    assert content is not None
    seals.record(
        run,
        "approved",
        stage.nr,
        decision,
        digest=content.digest,
        files=dict(content.files),
        index=dict(content.index),
        settings=opened.stage_facts(stage),
        attempt=verdict.attempt,
        flag_mtime_ns=os.stat(flag or run.flag(stage.nr)).st_mtime_ns,
    )


def seal_by_policy(opened: OpenedRun, verdict: Verdict, policy: str) -> None:
    """Approves by a rule. The seal comes before the flag: a kill in between must not look like a person's touch."""
    flag = opened.run.flag(verdict.stage.nr)
    waiting = flag_in_waiting(opened, verdict.stage)
    touch(opened.run, waiting)
    seal(opened, verdict, policy_decision(policy), waiting)
    os.replace(waiting, flag)


def flag_in_waiting(opened: OpenedRun, stage: Stage) -> Path:
    """Where a rule's flag lies until its seal is written; what a kill in between left there, mending finishes."""
    flag = opened.run.flag(stage.nr)
    return flag.with_name(f".{flag.name}")


def approve_now(opened: OpenedRun, stage: Stage, decision: Decision, digest: str | None = None) -> Verdict:
    """Approves what lies there now; with `digest`, only if that is still what was shown."""
    verdict = judge_gate(opened, stage, time.time_ns())
    if verdict.content is None or verdict.state in (State.NOT_YET, State.DUE):
        raise FlagstoneError(
            f"stage {stage.key} cannot be approved: it {verdict.words}",
            hint=f"build it first: flagstone run {opened.run.name}",
        )
    if verdict.content.missing:
        raise FlagstoneError(
            f"stage {stage.key} cannot be approved: {', '.join(verdict.content.missing[:5])} is gone",
            hint=f"put it back from history/{stage.nr}/, or do the stage again: flagstone redo {stage.nr}",
        )
    if digest is not None and len(digest) < DIGEST_CHARACTERS:
        raise FlagstoneError(
            f"{digest!r} is too short to be the digest of what you saw",
            hint=f"give at least {DIGEST_CHARACTERS} characters of it, as flagstone review {stage.nr} shows it",
        )
    if digest is not None and not verdict.content.digest.startswith(digest.lower()):
        raise FlagstoneError(
            f"stage {stage.key} has moved: it is {verdict.content.digest[:12]} now, not {digest[:12]}",
            hint=f"look at it again: flagstone review {stage.nr} --run {opened.run.name}",
        )
    touch(opened.run, opened.run.flag(stage.nr))
    if not (verdict.is_open and not verdict.fresh):
        seal(opened, verdict, decision)
    return verdict


def touch(run: Run, path: os.PathLike[str]) -> None:
    """Makes a mark as a person would."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab"):
            os.utime(path)
    except OSError as error:
        raise cannot_write(run.root / os.fspath(path), error) from error


def command_decision(comment: str = "") -> Decision:
    """A decision made by the user who gave a command."""
    return Decision(by="person", who=seals.login_name(os.getuid()), at=utc(time.time()), how="command", comment=comment)


def policy_decision(policy: str) -> Decision:
    """A decision made by a rule of the run's settings, which the seal says."""
    who = seals.login_name(os.getuid())
    return Decision(by="policy", who=who, at=utc(time.time()), how="policy", policy=policy)
