"""When an experiment ends: each condition, how far it has come, and which one fired."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flagstone.experiments.ledger import Progress
from flagstone.plans import MetricSpec, StoppingSpec


@dataclass(frozen=True)
class Condition:
    """One reason to end, and how far it has come: `plateau 2/5`."""

    name: str
    done: float
    limit: float
    fired: bool

    def __str__(self) -> str:
        return f"{self.name} {figure(self.done)}/{figure(self.limit)}"


def figure(amount: float) -> str:
    """A count as it is, however large; other numbers in four figures."""
    if math.isnan(amount):
        return "–"
    return f"{amount:.0f}" if abs(amount) < 1e15 and amount == int(amount) else f"{amount:.4g}"


def conditions(stopping: StoppingSpec, metric: MetricSpec, progress: Progress) -> list[Condition]:
    """Every condition that is set, in the order in which they are asked."""
    found = []
    best = progress.best_value
    counted: tuple[tuple[str, float | None, float], ...] = (
        ("max_runs", stopping.max_runs, progress.number),
        ("plateau", stopping.plateau, progress.plateau),
        ("wall_h", stopping.wall_h, progress.wall_s / 3600),
        ("gpu_h", stopping.gpu_h, progress.gpu_s / 3600),
        ("cost_usd", stopping.cost_usd, progress.cost_usd),
    )
    if stopping.threshold is not None:
        reached = best is not None and (
            best <= stopping.threshold if metric.direction == "min" else best >= stopping.threshold
        )
        shown = float("nan") if best is None else best
        found.append(Condition("primary_threshold", shown, stopping.threshold, reached))
    found += [Condition(name, done, limit, done >= limit) for name, limit, done in counted if limit is not None]
    return found


def terminated_by(stopping: StoppingSpec, metric: MetricSpec, progress: Progress) -> str:
    """The condition that ends the experiment now, such as `plateau(5)`; '' where it goes on."""
    if progress.is_interrupted:
        return "manual"
    for condition in conditions(stopping, metric, progress):
        if condition.fired:
            counts = condition.name in ("plateau", "max_runs")
            return f"{condition.name}({condition.limit:g})" if counts else condition.name
    return ""
