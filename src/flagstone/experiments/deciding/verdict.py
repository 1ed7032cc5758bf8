"""Whether a candidate wins: what its measurements amount to, and which verdict follows.

A run without a number never wins (`AFTER`), nor one that breaks a constraint (`check`). A number that is ahead of the
best (`is_ahead`) wins at once if nothing varies. Otherwise it is measured again, and `noise.judge` decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from flagstone.experiments.deciding import noise
from flagstone.plans import Constraint, MetricSpec

BY_PERSON = "a person stopped it"  # the reason of an interrupted run that ends the experiment
Status = Literal["ok", "crash", "timeout", "invalid", "interrupted", "unclean", "violation"]
RunVerdict = Literal["advance", "revert", "invalid", "crash", "timeout", "interrupted"]

AFTER: Mapping[Status, RunVerdict] = {
    "crash": "crash",
    "timeout": "timeout",
    "interrupted": "interrupted",
    "unclean": "crash",
    "violation": "invalid",
    "invalid": "revert",
}


@dataclass(frozen=True)
class ConstraintCheck:
    """One constraint with the value it was held against. The value is None if it is unknown."""

    name: str
    op: str
    threshold: float
    value: float | None
    passed: bool

    def __str__(self) -> str:
        found = "it is unknown" if self.value is None else f"it is {self.value:g}"
        return f"{self.name} {self.op} {self.threshold:g} does not hold: {found}"


def check(constraints: Iterable[Constraint], amounts: Mapping[str, float]) -> tuple[ConstraintCheck, ...]:
    """Each constraint against what was measured."""
    values = ((each, amounts.get(each.name)) for each in constraints)
    return tuple(
        ConstraintCheck(each.name, each.op, each.threshold, value, each.holds(value)) for each, value in values
    )


def broken_text(checks: Iterable[ConstraintCheck]) -> str:
    """The constraints that do not hold, in words. Returns '' if all do."""
    return "; ".join(str(each) for each in checks if not each.passed)


@dataclass(frozen=True)
class Reference:
    """What a candidate has to beat: the best run, its value, and all that is known of its values by now."""

    run: str
    value: float
    known: Sequence[float] = ()
    is_noisy: bool = False


def is_ahead(value: float, best: Reference, metric: MetricSpec) -> bool:
    """Whether one measurement beats the best, or, if values vary, is worth measuring again."""
    if best.is_noisy:
        return noise.looks_better(value, best.known, metric.direction)
    return metric.is_better(value, than=best.value)


def behind_text(best: Reference, metric: MetricSpec) -> str:
    """Why a measurement is not better: what it was compared with, and the value that it had to reach."""
    known = best.known
    if not (best.is_noisy and known and noise.are_numbers(known)):
        return f"no better than {best.run} ({best.value:.6g})"
    middle, less = median(known), metric.direction == "min"
    bar = middle - noise.head_start(known) if less else middle + noise.head_start(known)
    runs = f"the last {len(known)} runs of {best.run}" if len(known) > 1 else best.run
    return f"not clearly better than {runs} (median {middle:.6g}): needs {'less' if less else 'more'} than {bar:.6g}"
