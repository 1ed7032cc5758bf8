"""Welch's t-test: do two groups differ, pairs and equal spread not assumed?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt

from flagstone.statistics.gain import deviation, mean
from flagstone.statistics.quantiles import t_tail
from flagstone.statistics.samples import SIGNS, Direction, is_negligible, require_finite


@dataclass(frozen=True)
class WelchTest:
    """`p` is one-sided: the treated group is better."""

    t: float
    freedom: float
    p: float
    p_two_sided: float


def welch_test(control: Sequence[float], treated: Sequence[float], direction: Direction) -> WelchTest | None:
    """Compare two groups. Returns None if one has a single value, or neither has noise."""
    groups = (control, treated)
    require_finite(control)
    require_finite(treated)
    if min(map(len, groups)) < 2:
        return None
    errors = [deviation(group) / sqrt(len(group)) for group in groups]
    error = hypot(*errors)
    if is_negligible(error, [*control, *treated]):
        return None
    t = SIGNS[direction] * (mean(treated) - mean(control)) / error
    weights = [(own / error) ** 4 / (len(group) - 1) for own, group in zip(errors, groups, strict=True)]
    freedom = 1 / sum(weights)
    return WelchTest(t, freedom, t_tail(t, freedom), 2 * t_tail(abs(t), freedom))


def welch(control: Sequence[float], treated: Sequence[float], direction: Direction) -> float:
    """The one-sided p of Welch's test. Returns 1 if the test is not defined: no evidence."""
    test = welch_test(control, treated, direction)
    return 1.0 if test is None else test.p
