"""How far the experiments of a run are that have not ended: read off the last line of each ledger."""

from __future__ import annotations

from dataclasses import dataclass

from flagstone.experiments.ledger import tail_entries
from flagstone.layout import Run
from flagstone.locks import holder_of
from flagstone.plans import Home, Plan, plans
from flagstone.records import read_record
from flagstone.text import one_line


@dataclass(frozen=True)
class ExperimentStatus:
    """One experiment that has not ended, as `flagstone status` shows it."""

    name: str
    state: str  # planned | running | stopped | failed | under way | starts over
    reason: str
    runs: int
    max_runs: int | None
    metric: str
    best_run: str
    best_value: float | None

    @property
    def words(self) -> str:
        """Such as `tune: under way, 3/40 runs, best val_loss 0.25 in r0003`."""
        limit = f"/{self.max_runs}" if self.max_runs else ""
        best = f", best {self.metric} {self.best_value:.6g} in {self.best_run}" if self.best_value is not None else ""
        reason = f": {one_line(self.reason, 160)}" if self.reason else ""
        return f"{self.name}: {self.runs}{limit} runs{best}, {self.state}{reason}"


def unfinished_experiments(run: Run) -> tuple[ExperimentStatus, ...]:
    return tuple(status_of(plan) for plan in plans(run) if not plan.is_done)


def status_of(plan: Plan) -> ExperimentStatus:
    home = Home(plan.folder, plan.run.root)
    last = next(iter(tail_entries(home.ledger, 1)), None)
    spec = plan.spec
    state, reason = state_of(plan, home)
    return ExperimentStatus(
        name=plan.name,
        state=state,
        reason=reason,
        runs=last.number if last else 0,
        max_runs=spec.stopping.max_runs if spec else None,
        metric=spec.metric.name if spec else "",
        best_run=last.best_run if last else "",
        best_value=last.best_value if last else None,
    )


def state_of(plan: Plan, home: Home) -> tuple[str, str]:
    if holder_of(home.lock):
        return "running", ""
    if home.stop.exists():
        return "stopped", ""
    if failure := plan.failure():
        return "failed", str(failure.get("problem")).removeprefix(f"experiment {plan.name}: ")
    design = (read_record(home.design) or {}).get("plan")
    if design not in (None, plan.digest):
        return "starts over", "another design was approved"
    return ("under way" if home.ledger.exists() else "planned"), ""
