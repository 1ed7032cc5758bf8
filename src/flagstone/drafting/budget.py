"""What a run may spend: a call that would start over the budget does not start."""

from __future__ import annotations

from collections.abc import Mapping

from flagstone.agents.telemetry import LOG, spending
from flagstone.errors import WorkFailed
from flagstone.layout import Run
from flagstone.records import Ledger


def refuse_if_spent(run: Run, budget: Mapping[str, float | None]) -> None:
    """Refuses the next call where any limit is used up."""
    limits = {name: limit for name, limit in budget.items() if limit is not None}
    if not limits:
        return
    log = run.logs / LOG
    total = spending(log)
    spent = {
        "usd": total.known_usd,
        "tokens": (total.input_tokens or 0) + (total.output_tokens or 0),
        "agent_calls": total.calls,
        "wall_h": sum(float(line.get("wall_s", 0)) for line in Ledger(log).entries()) / 3600,
    }
    for name, limit in limits.items():
        if spent.get(name, 0) >= limit:
            raise WorkFailed(
                f"the budget of run {run.name} is used up: {name} {spent[name]:g} of {limit:g}",
                hint="raise `budget` in run.yaml, then run it again",
            )
