"""What a sample must be before it is tested: finite, and with noise that is more than rounding."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Literal

from flagstone.statistics.gain import deviation

Direction = Literal["min", "max"]
ROUNDING = 1e-12  # relative to the largest value; differences below it come from arithmetic, not from the data
SIGNS = {"min": -1.0, "max": 1.0}


def improvements(control: Sequence[float], treated: Sequence[float], direction: Direction) -> list[float]:
    """How much better the treated value of each pair is: positive is better, whatever the direction."""
    return [SIGNS[direction] * (y - x) for x, y in zip(control, treated, strict=True)]


def is_degenerate(control: Sequence[float], treated: Sequence[float]) -> bool:
    """Whether the seed does not reach the code: equal differences, or an arm with one value on all seeds."""
    require_finite(control)
    require_finite(treated)
    differences = improvements(control, treated, "max")
    is_constant = len(set(control)) == 1 or len(set(treated)) == 1
    return is_constant or is_negligible(deviation(differences), [*control, *treated])


def is_negligible(sd: float, values: Sequence[float]) -> bool:
    """Whether a standard deviation is zero but for rounding. A test would take it for certainty."""
    return sd <= ROUNDING * max(map(abs, values))


def is_at_least(value: float, threshold: float) -> bool:
    """Whether a value reaches a threshold, also where only rounding keeps it below: .12 - .1 reaches .02."""
    return value >= threshold - ROUNDING * abs(threshold)


def require_finite(values: Sequence[float]) -> None:
    """Refuse what no test can answer. A failed run has to be given a value, or left out, by the caller."""
    if not values:
        raise ValueError("a sample needs at least one value")
    if wrong := [value for value in values if not isfinite(value)]:
        raise ValueError(f"a sample holds values that are not finite: {wrong}")
