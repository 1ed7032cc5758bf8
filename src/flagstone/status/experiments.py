"""How far the experiments of a run are that have not ended: read off the last line of each ledger."""

from __future__ import annotations

from flagstone.experiments.ledger import tail_entries
from flagstone.layout import Run
from flagstone.locks import holder_of
from flagstone.plans import Home, Plan, plans
from flagstone.records import read_record
from flagstone.status.overview import ExperimentStatus


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
