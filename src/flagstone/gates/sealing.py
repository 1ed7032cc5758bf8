"""Sealing an approval: who approved exactly which content, bound by its digest."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from flagstone import seals
from flagstone.errors import FlagstoneError
from flagstone.gates import history
from flagstone.gates.judge import Verdict, judge_gates
from flagstone.gates.moment import read_moment
from flagstone.gates.runs import RunConfig
from flagstone.layout import Run
from flagstone.locks import hold, holder_of
from flagstone.records import cannot_write, utc
from flagstone.seals import Decision
from flagstone.stages import Stage

DIGEST_CHARACTERS = 6  # the least of a digest that says which content is meant


def seal_touch(run: Run, verdict: Verdict) -> None:
    """Records the approval a person gave by touching the flag: the file's owner, the time of the touch."""
    flag = verdict.files.flag
    assert flag is not None
    who, touched_at = seals.login_name(flag.owner), utc(flag.mtime_ns / 1e9)
    seal(run, verdict, Decision(by="person", who=who, at=touched_at, how="touch"), flag.mtime_ns)


def approve(run: Run, verdict: Verdict, decision: Decision) -> None:
    """Seals, then puts the flag in place: a kill in between must not leave a flag that looks like a touch."""
    waiting = waiting_flag(run, verdict.stage.nr)
    touch(run, waiting)
    seal(run, verdict, decision, os.stat(waiting).st_mtime_ns)
    os.replace(waiting, run.flag(verdict.stage.nr))


def waiting_flag(run: Run, nr: str) -> Path:
    """The flag of a seal that is being written. After a kill, `repairs` puts the flag in place."""
    return run.approved / f".{nr}.flag"


def seal(run: Run, verdict: Verdict, decision: Decision, flag_mtime_ns: int) -> None:
    """Appends the seal of what the verdict was given on."""
    content = verdict.content
    assert content is not None
    seals.record(
        run,
        "approved",
        verdict.stage.nr,
        decision,
        digest=content.digest,
        files=dict(content.files),
        index=dict(content.index),
        settings=verdict.files.settings,
        attempt=verdict.attempt,
        flag_mtime_ns=flag_mtime_ns,
    )


def approve_stage(opened: RunConfig, stage: Stage, decision: Decision, digest: str | None = None) -> Verdict:
    """Approves what the stage offers now; with `digest`, only if that is still what was shown."""
    verdict = judge_gates(read_moment(opened))[stage.nr]
    if history.restoring_file(opened.run, stage.nr).exists():
        with hold(opened.run.lock, f"run {opened.run.name}"):
            history.end_restoring(opened, verdict.files)
        verdict = judge_gates(read_moment(opened))[stage.nr]
    if verdict.may_stand and not verdict.held_by:
        verdict = last_version(opened, verdict, digest or "")
    refuse_approval(opened.run, verdict, digest)
    if not verdict.is_open or verdict.is_fresh:
        approve(opened.run, verdict, decision)
    return verdict


def last_version(opened: RunConfig, verdict: Verdict, digest: str) -> Verdict:
    """The verdict on the last version of a stage that was to be changed, after the request was taken back."""
    run, stage = opened.run, verdict.stage
    holder = holder_of(run.drafts(stage.nr) / ".lock") or holder_of(run.lock)
    if holder:
        raise FlagstoneError(
            f"stage {stage.nr} {stage.name} is being built by process {holder.get('pid')}",
            hint=f"wait for it, or stop it first: kill {holder.get('pid')}",
        )
    kept = str(history.kept_record(run, verdict.files).get("digest", ""))
    if not kept.startswith(digest.lower()):
        raise FlagstoneError(
            f"the last version of stage {stage.key} is {kept[:12]}, not {digest[:12]}",
            hint=f"look at it again: flagstone review {stage.nr} --run {run.name}",
        )
    notices = history.take_back_requests(opened, verdict.files)
    return replace(judge_gates(read_moment(opened))[stage.nr], notices=tuple(notices))


def refuse_approval(run: Run, verdict: Verdict, digest: str | None) -> None:
    """Raises an error if this cannot be approved, or is not what a person saw."""
    stage, content = verdict.stage, verdict.content
    if verdict.held_by:
        raise FlagstoneError(
            f"stage {stage.nr} {stage.name} depends on stage {verdict.held_by.nr}, whose gate is closed",
            hint=f"decide on that one first: flagstone review {verdict.held_by.nr} --run {run.name}",
        )
    if content is None or not verdict.is_built:
        raise FlagstoneError(
            f"stage {stage.key} cannot be approved: it {verdict.words}",
            hint=f"run it first: flagstone run {run.name}",
        )
    if content.missing_files:
        raise FlagstoneError(
            f"stage {stage.key} cannot be approved: {', '.join(content.missing_files[:5])} is missing",
            hint=f"restore it from {run.history(stage.nr)}, or do the stage again: flagstone redo {stage.nr}",
        )
    if digest is not None and len(digest) < DIGEST_CHARACTERS:
        raise FlagstoneError(
            f"{digest!r} is too short for a digest",
            hint=f"give at least {DIGEST_CHARACTERS} characters, as flagstone review {stage.nr} shows it",
        )
    if digest is not None and not content.digest.startswith(digest.lower()):
        raise FlagstoneError(
            f"the content of stage {stage.key} has changed: its digest is {content.digest[:12]} now, not {digest[:12]}",
            hint=f"look at it again: flagstone review {stage.nr} --run {run.name}",
        )


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
    return seals.decision_now("person", "command", comment=comment)
