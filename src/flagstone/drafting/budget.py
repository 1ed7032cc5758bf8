"""What a run and its stages may spend: a call that could go over does not start, or is held to what is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flagstone.agents.telemetry import LOG, spending
from flagstone.errors import WorkFailed
from flagstone.layout import Run
from flagstone.records import Ledger

Budget = Mapping[str, float | None]


@dataclass(frozen=True)
class Purse:
    """One budget and what has been used of it: the run's, or one stage's."""

    whose: str
    limits: Mapping[str, float]
    spent: Mapping[str, float]

    def left(self, name: str) -> float | None:
        """What is left of one thing; None where it is not limited."""
        return self.limits[name] - self.spent[name] if name in self.limits else None


def spent_of(log: Path, stage: str | None = None) -> dict[str, float]:
    """What the calls so far have used of each thing that can be limited (an unstated cost counts as nothing here)."""
    total = spending(log, stage)
    lines = [line for line in Ledger(log).entries() if stage is None or line.get("stage") == stage]
    return {
        "usd": total.known_usd,
        "tokens": float((total.input_tokens or 0) + (total.output_tokens or 0)),
        "agent_calls": float(total.calls),
        "wall_h": sum(float(line.get("wall_s") or 0) for line in lines) / 3600,
        "gpu_h": 0.0,  # agents hold no GPU; experiments will count theirs
    }


def purses(run: Run, stage: str, of_run: Budget, of_stage: Budget) -> list[Purse]:
    """The budgets that a call of this stage draws on; those without any limit are left out."""
    log = run.logs / LOG
    found = []
    for whose, budget, nr in ((f"run {run.name}", of_run, None), (f"stage {stage}", of_stage, stage)):
        limits = {name: limit for name, limit in budget.items() if limit is not None}
        if limits:
            found.append(Purse(whose, limits, spent_of(log, nr)))
    return found


def refuse_if_spent(drawn_on: list[Purse]) -> None:
    """Refuses the next call where anything is used up."""
    for purse in drawn_on:
        for name, limit in purse.limits.items():
            if purse.spent[name] >= limit:
                raise WorkFailed(
                    f"the budget of {purse.whose} is used up: {name} {purse.spent[name]:g} of {limit:g}",
                    hint="raise `budget` in run.yaml, then run it again",
                )


def least(drawn_on: list[Purse], name: str, allowed: float | None) -> float | None:
    """The most one call may use of a thing: what the stage allows, or what is left, whichever is less."""
    known = [left for left in (purse.left(name) for purse in drawn_on) if left is not None]
    return min([*known, *([] if allowed is None else [allowed])], default=None)
