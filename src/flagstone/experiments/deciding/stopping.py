"""When an experiment ends: each condition, how far it has come, and which one fired."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flagstone.plans import Spec

AMOUNTS = ("max_runs", "plateau", "wall_h", "gpu_h", "cost_usd", "tokens", "max_experiments", "proposals")
COUNTS = ("max_runs", "plateau", "max_experiments", "proposals")


@dataclass(frozen=True)
class Condition:
    """One reason to end, and how far it has come: `plateau 2/5`."""

    name: str
    done: float
    limit: float
    fired: bool

    def __str__(self) -> str:
        return f"{self.name} {amount_text(self.done)}/{amount_text(self.limit)}"


def amount_text(amount: float) -> str:
    """A count in full, however large; any other number in four digits."""
    if math.isnan(amount):
        return "–"
    return f"{amount:.0f}" if abs(amount) < 1e15 and amount == int(amount) else f"{amount:.4g}"


def conditions(spec: Spec, best: float | None, amounts: Mapping[str, float]) -> list[Condition]:
    """Every condition that is set. `amounts` are what was used up so far, by the name of the condition."""
    found, stopping, metric = [], spec.stopping, spec.metric
    if (threshold := stopping.threshold) is not None:
        is_reached = best is not None and (best == threshold or metric.is_better(best, than=threshold))
        found.append(Condition("primary_threshold", math.nan if best is None else best, threshold, is_reached))
    limits = ((name, getattr(stopping, name)) for name in AMOUNTS)
    if stopping.on_suspicion:
        found.append(Condition("suspicion", amounts["suspicion"], 1, amounts["suspicion"] >= 1))
    if stopping.on_halt:
        most = spec.escalation.most_failures
        found.append(Condition("halt", amounts["halt"], most, amounts["halt"] >= most))
    used = ((name, amounts.get(name, 0.0), limit) for name, limit in limits if limit is not None)
    return found + [Condition(name, done, limit, done >= limit) for name, done, limit in used]


def end_reason(found: Iterable[Condition]) -> str:
    """The condition that ends the experiment now, such as `plateau(5)`. Returns '' if it goes on."""
    fired = next((each for each in found if each.fired), None)
    if fired is None:
        return ""
    return f"{fired.name}({fired.limit:g})" if fired.name in COUNTS else fired.name
