"""One number of several: the functions that `reduce` and `expr` may use."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from flagstone.statistics import deviation, mean, t_quantile

LEVEL = 0.975  # of a two-sided 95 % interval


def standard_error(values: Sequence[float]) -> float:
    return deviation(values) / math.sqrt(len(values))


def half_width(values: Sequence[float]) -> float:
    """Half of the two-sided 95 % interval of the mean, by Student's t."""
    return t_quantile(LEVEL, len(values) - 1) * standard_error(values)


# each takes the numbers of one list
REDUCTIONS: Mapping[str, Callable[[Sequence[float]], float | int]] = {
    "mean": mean,
    "sd": deviation,
    "sem": standard_error,
    "ci_low": lambda values: mean(values) - half_width(values),
    "ci_high": lambda values: mean(values) + half_width(values),
    "min": min,
    "max": max,
    "n": len,
    "count": len,
}
NEED_TWO = ("sd", "sem", "ci_low", "ci_high")
# each takes two numbers: the one in question, and the one it is held against
COMPARISONS: Mapping[str, Callable[[float, float], float]] = {
    "diff": lambda one, other: one - other,
    "ratio": lambda one, other: one / other,
    "pct": lambda one, other: (one - other) / abs(other) * 100,
}


def reduction(name: str, values: Sequence[float]) -> float | int:
    """One number of several. Raises ValueError if there are too few."""
    if name not in ("n", "count") and not values:
        raise ValueError(f"{name} of no values")
    if name in NEED_TWO and len(values) < 2:
        raise ValueError(f"{name} needs two values at least, and there is one: print the value, and say that n = 1")
    return REDUCTIONS[name](values)


def comparison(name: str, one: float, other: float) -> float:
    if name != "diff" and not other:
        raise ValueError(f"{name} divides by zero: print the difference (diff) instead")
    return COMPARISONS[name](one, other)
