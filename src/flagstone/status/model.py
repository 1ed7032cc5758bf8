"""The state of a run: one word a stage, why, and the one next command. Never writes."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from flagstone.agents.accounts import calls
from flagstone.drafting import wait_after, work
from flagstone.gates import (
    Messages,
    Moment,
    RunConfig,
    State,
    Verdict,
    explain,
    failure_of,
    goal_of,
    history,
    judge_gates,
    next_turn,
    other_names,
    read_moment,
    run_command,
    trial_words,
)
from flagstone.layout import Run
from flagstone.locks import holder_of
from flagstone.plans import trial_plans
from flagstone.seals import Seal
from flagstone.status.experiments import unfinished_experiments
from flagstone.status.overview import ExperimentStatus, RunOverview, StageStatus
from flagstone.status.trials import check_trial

WORDS = {
    State.APPROVED: "done",
    State.WAITING: "waits for you",
    State.REVOKED: "waits for you",
    State.STALE: "stale",
    State.DUE: "not yet",
    State.NOT_YET: "not yet",
}


def run_status(opened: RunConfig, here: Path, moment: Moment | None = None) -> RunOverview:
    """Everything known about a run, from files only."""
    moment = moment or read_moment(opened)
    lines = calls.lines_of(opened.run.logs / calls.LOG)
    experiments = unfinished_experiments(opened.run)
    rows = tuple(
        with_experiments(
            stage_status(opened.run, moment, explain(opened, verdict, check_trial), calls.sum_of(lines, nr)),
            experiments if verdict.stage.runs_experiments and verdict.held_by is None else (),
        )
        for nr, verdict in judge_gates(moment).items()
    )
    holder = holder_of(opened.run.lock)
    total = calls.sum_of(lines)
    return RunOverview(
        name=opened.run.name,
        goal=goal_of(opened.run),
        agent=str(opened.settings.merged.get("agent", "")),
        created_at=str(opened.settings.merged.get("created_at", "")),
        state=run_state(opened, rows),
        stages=rows,
        next_command=next_command(opened, rows, here, experiments),
        cost_usd=total.cost_usd,
        known_usd=total.known_usd,
        holder=f"process {holder.get('pid')} on {holder.get('host')}" if holder else "",
        sandbox=opened.settings.sandbox,
        experiments=experiments,
        notices=(*(other.words for other in other_names(opened)), *half_restored(opened)),
        trials=tuple(map(trial_words, trial_plans(opened.run))),
    )


def half_restored(opened: RunConfig) -> list[str]:
    """What a restore that was killed has left behind, until the next call brings it in order."""
    found = (stage for stage in opened.table if history.restoring_file(opened.run, stage.nr).exists())
    is_busy = holder_of(opened.run.lock)
    return [f"restoring stage {stage.nr} was cut short; the next call undoes it" for stage in found if not is_busy]


def with_experiments(row: StageStatus, experiments: tuple[ExperimentStatus, ...]) -> StageStatus:
    """The stage that waits for these experiments; what they do is what it does."""
    for state in ("running", "failed"):
        found = next((each for each in experiments if each.state == state), None)
        if found and row.state == "not yet":
            return replace(row, state=state, reason=f"experiment {found.words}")
    return row


def stage_status(run: Run, moment: Moment, verdict: Verdict, spent: calls.Spending) -> StageStatus:
    stage, holder = verdict.stage, verdict.held_by
    state, reason = WORDS[verdict.state], verdict.reason
    turn = work.open_turn_of(run, stage.nr)
    if holder_of(run.below("drafts", stage.nr, ".lock")):
        now_s = time.time()
        wait = wait_after(work.attempts_since(run, stage.nr, turn.first_attempt), now_s) if turn else None
        asked = f"rebuilding after {verdict.request}" if verdict.may_stand else "an agent works on it"
        state, reason = "running", wait.text(now_s) if wait else asked
    elif holder is not None and (verdict.is_built or verdict.files.publication):
        state, reason = "held", f"waits for stage {holder.nr}"
    elif holder is None and not verdict.is_built:
        failure = failure_of(run, stage.nr, next_turn(moment, stage).key)
        if failure:
            # a pause is no failure: the exit code of its error says so
            state, reason = "paused" if failure.get("exit_code") == 0 else "failed", str(failure.get("problem"))
        elif verdict.may_stand:
            reason = f"rebuilding after {verdict.request}"
    if verdict.may_stand and state != "held":
        reason += f"; last version: attempt {verdict.attempt}"
    seal = verdict.files.seal if verdict.is_open else None
    return StageStatus(
        nr=stage.nr,
        name=stage.name,
        title=stage.title,
        state=state,
        reason=reason,
        attempts=len(work.attempt_numbers(run, stage.nr)),
        attempt=verdict.attempt,
        digest=verdict.files.digest,
        session_id=turn.session_id if turn else "",
        approved_by=approver(seal) if seal else "",
        approved_at=seal.at if seal else "",
        cost_usd=spent.cost_usd,
        known_usd=spent.known_usd,
        calls=spent.calls,
    )


def approver(seal: Seal) -> str:
    """Who approved: a person, or the policy that did it in a user's name."""
    return f"policy {seal.policy} ({seal.who})" if seal.by == "policy" else seal.who


def approval_text(seal: Seal) -> str:
    """How a stage was approved, such as `auto-approved (--yes)` or `approved (touch)`."""
    if seal.by != "policy":
        return f"approved ({seal.how})"
    return f"auto-approved ({'--yes' if seal.policy == 'yes' else f'approval: {seal.policy}'})"


def run_state(opened: RunConfig, rows: tuple[StageStatus, ...]) -> str:
    """The state of the run as a whole: that of the first stage that is not done."""
    if opened.run.aborted.exists():
        return "aborted"
    open_rows = [row for row in rows if row.state != "done"]
    if not open_rows:
        return "done"
    return next((row.state for row in rows if row.state in ("running", "failed", "paused")), open_rows[0].state)


def next_command(
    opened: RunConfig, rows: tuple[StageStatus, ...], here: Path, experiments: tuple[ExperimentStatus, ...]
) -> str:
    """The one thing a person can do now."""
    name = opened.run.name
    if opened.run.aborted.exists():
        return f"flagstone resume {name}"
    first = next((row for row in rows if row.state != "done"), None)
    if first is None:
        return f"read {Messages(opened.run, here).path(opened.run.root / 'stages')}"
    verbs = {"running": "status", "stopped": "resume"}
    held = next((each for each in experiments if each.state in verbs), None)
    if held and first.state in ("not yet", "running"):
        return f"flagstone experiment {verbs[held.state]} {held.name} --run {name}"
    if first.state == "running":
        return f"flagstone log {first.nr} --run {name}"
    is_touched = any(other.stage and other.stage.nr == first.nr for other in other_names(opened))
    if first.state in ("waits for you", "stale") and not is_touched:
        return f"flagstone review {first.nr} --run {name}"
    return run_command(opened.run)
