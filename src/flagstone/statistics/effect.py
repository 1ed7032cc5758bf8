"""How large an effect is in units of noise: Cohen's d, Hedges' g, and both for pairs, with exact intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, hypot, lgamma, sqrt

from flagstone.statistics.gain import deviation, mean
from flagstone.statistics.paired import paired_test
from flagstone.statistics.quantiles import noncentrality
from flagstone.statistics.samples import SIGNS, Direction, is_negligible, require_finite


@dataclass(frozen=True)
class Effect:
    """A standardised effect, positive if it is an improvement, with its 95 % interval by the noncentral t."""

    value: float
    low: float
    high: float


def cohens_d(control: Sequence[float], treated: Sequence[float], direction: Direction) -> float | None:
    """The difference of means over the pooled sd. Returns None if a group has one value, or neither has noise."""
    require_finite(control)
    require_finite(treated)
    freedom = len(control) + len(treated) - 2
    if min(len(control), len(treated)) < 2:
        return None
    pooled = hypot(*[deviation(group) * sqrt((len(group) - 1) / freedom) for group in (control, treated)])
    if is_negligible(pooled, [*control, *treated]):
        return None
    return SIGNS[direction] * (mean(treated) - mean(control)) / pooled


def effect_d(control: Sequence[float], treated: Sequence[float], direction: Direction) -> Effect | None:
    """Cohen's d with its interval. Returns None if d is not defined."""
    d = cohens_d(control, treated, direction)
    if d is None:
        return None
    n, m = len(control), len(treated)
    return with_interval(d, sqrt(n * m / (n + m)), n + m - 2)


def hedges_g(control: Sequence[float], treated: Sequence[float], direction: Direction) -> Effect | None:
    """Cohen's d without its bias in small samples. Returns None if d is not defined."""
    d = effect_d(control, treated, direction)
    return d and remove_bias(d, len(control) + len(treated) - 2)


def effect_dz(e: Sequence[float]) -> Effect | None:
    """The mean improvement of pairs over its sd. Returns None for one pair, and for pairs without noise."""
    test = paired_test(e)
    if test.t is None:
        return None
    return with_interval(test.t / sqrt(test.n), sqrt(test.n), test.n - 1)


def hedges_gz(e: Sequence[float]) -> Effect | None:
    """`effect_dz` without its bias. Returns None if that is not defined, as for two pairs, whose bias is not."""
    dz = effect_dz(e)
    return dz and (remove_bias(dz, len(e) - 1) if len(e) > 2 else None)


def with_interval(value: float, scale: float, freedom: int) -> Effect:
    """`scale` turns the effect into the t statistic of its test."""
    low, high = (noncentrality(value * scale, freedom, level) / scale for level in (0.975, 0.025))
    return Effect(value, low, high)


def remove_bias(effect: Effect, freedom: int) -> Effect:
    factor = bias_factor(freedom)
    return Effect(factor * effect.value, factor * effect.low, factor * effect.high)


def bias_factor(freedom: float) -> float:
    """Hedges' J, exact, for more than one degree of freedom."""
    return exp(lgamma(freedom / 2) - lgamma((freedom - 1) / 2)) / sqrt(freedom / 2)
