"""What the trials of a run came to, and whether `approval: verdict` approves the stage that they were run for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flagstone.gates.judge import Verdict
from flagstone.gates.runs import RunConfig
from flagstone.plans import TrialPlan, trial_plans
from flagstone.records import read_record
from flagstone.stages import Stage
from flagstone.text import one_line

POLICY = "verdict"
SUPPORTED = "SUPPORTED"
TrialCheck = Callable[[RunConfig, TrialPlan], str]  # says why a verdict is not what was recorded; '' if it is


@dataclass(frozen=True)
class TrialEnd:
    """What verdict.json says of one trial. Its numbers are those of the confirmed arm; None if there are none."""

    name: str
    outcome: str
    is_exploratory: bool
    metric: str = ""
    n: int = 0
    mean: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def words(self) -> str:
        """Such as `clip: SUPPORTED, n = 8, val_loss better by 0.0279 (95 % interval 0.0122 to 0.0435)`."""
        said = f"{self.name}: {self.outcome}{', exploratory' if self.is_exploratory else ''}"
        if self.mean is None:
            return said
        change = f"{self.metric} {'better' if self.mean >= 0 else 'worse'} by {abs(self.mean):.3g}"
        has_interval = self.low is not None and self.high is not None
        interval = f" (95 % interval of the improvement {self.low:.3g} to {self.high:.3g})" if has_interval else ""
        return f"{said}, n = {self.n}, {change}{interval}"


def trial_end(plan: TrialPlan) -> TrialEnd | None:
    """What a trial came to. Returns None if it has not ended."""
    record = read_record(plan.folder.verdict) if plan.is_done else None
    if record is None:
        return None
    found: Mapping[str, Any] = record.get("confirm") or {}
    return TrialEnd(
        name=plan.name,
        outcome=one_line(str(record.get("outcome")), 40),
        is_exploratory=record.get("exploratory") is not False,
        metric=one_line(str((record.get("metric") or {}).get("name")), 60),
        n=int(found.get("n") or 0),
        mean=found.get("mean"),
        low=found.get("ci_low"),
        high=found.get("ci_high"),
    )


def trial_words(plan: TrialPlan) -> str:
    """What a trial came to, in one line."""
    found = trial_end(plan)
    return found.words if found else f"{plan.name}: {missing_text(plan)}"


def missing_text(plan: TrialPlan) -> str:
    """Why a trial has no end that counts: it goes on, or its plan is another one by now."""
    outcome = (read_record(plan.folder.verdict) or {}).get("outcome") if plan.done_file.exists() else None
    is_of_other_plan = bool(outcome) and not plan.is_done
    return f"ended {one_line(str(outcome), 40)} before its plan was changed" if is_of_other_plan else "has not ended"


def obstacles(opened: RunConfig, stage: Stage, check: TrialCheck) -> Iterator[str]:
    """Why verdicts do not approve a stage; nothing if they do. A trial is checked only if it would count."""
    planned = trial_plans(opened.run) if stage.runs_experiments else ()
    if not stage.runs_experiments:
        yield "no trial is run for this stage"
    elif not planned:
        yield "no trial is planned"
    for plan in planned:
        found = trial_end(plan)
        if found is None:
            yield f"trial {plan.name} {missing_text(plan)}"
        elif found.outcome != SUPPORTED:
            yield f"trial {plan.name} ended {found.outcome}"
        elif found.is_exploratory:
            yield f"trial {plan.name} is exploratory"
        elif fault := check(opened, plan):
            # the manifest splits a reason at semicolons
            yield f"trial {plan.name} is not as it was recorded: {one_line(fault, 200).replace(';', ',')}"


def policy_of(opened: RunConfig, stage: Stage, approve_all: str, check: TrialCheck) -> str:
    """The rule that approves a stage now. Returns '' if a person does. `approve_all` is the rule of `--yes`."""
    approver = opened.settings.approver(stage.nr)
    if approve_all or approver == "auto":
        return approve_all or approver
    return POLICY if approver == POLICY and not next(obstacles(opened, stage, check), "") else ""


def explain(opened: RunConfig, verdict: Verdict, check: TrialCheck) -> Verdict:
    """The same judgement; it says why `approval: verdict` leaves the stage to a person."""
    is_asked = opened.settings.approver(verdict.stage.nr) == POLICY and verdict.is_built and not verdict.is_open
    found = next(obstacles(opened, verdict.stage, check), "") if is_asked else ""
    return replace(verdict, reason=f"{verdict.reason} (not approved by verdict: {found})") if found else verdict
