"""Quantiles and probabilities of Student's t distribution, central and noncentral, in plain Python.

scipy has the same numbers. Loading it takes as long as thirty runs, and its noncentral t is NaN far from its mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from math import cosh, erfc, exp, expm1, inf, isfinite, log, pi, sinh, sqrt, tanh

from flagstone.statistics.student import student_tail

LARGE_T = 1e4  # from here on the normal part of a noncentral t is below 1e-7 of it
NEGLIGIBLE = 40.0  # exp(-40) of the whole is nothing to a double
FAR = 8.0  # sd from its middle a normal distribution is 0 or 1
FINENESS, WIDTH = 1 / 32, 3.4  # of the nodes of an integral: it is then exact to 1e-12
CLOSE = 1e-13
MOST_STEPS = 200


def t_quantile(level: float, freedom: float) -> float:
    """The t that is not exceeded with probability `level`."""
    if level < 0.5:
        return -t_quantile(1 - level, freedom)
    rest, high = 1 - level, 1.0
    if not rest > 0.0:
        return inf
    while t_tail(high, freedom) > rest:
        high *= 2
    return root(lambda t: t_tail(t, freedom) - rest, high / 2 if high > 1 else 0.0, high)


def t_cdf(value: float, freedom: float) -> float:
    """P(T <= value)."""
    return student_tail(-value, freedom)


def t_tail(value: float, freedom: float) -> float:
    """P(T > value), exact also where it is tiny."""
    return student_tail(value, freedom)


def noncentral_t_tail(value: float, freedom: float, shift: float) -> float:
    """P(T > value) if T is a noncentral t with noncentrality `shift`.

    T is (Z + shift) / S, with a normal Z and the chi S, whose mean square is 1. So this is a mean over log S. It is
    taken in parts, because a large `value` turns the normal part into a step.
    """
    low = -sqrt(3 * NEGLIGIBLE / freedom) if freedom > 3 * NEGLIGIBLE else -NEGLIGIBLE / freedom - 0.5
    high = sqrt(NEGLIGIBLE / freedom)
    step = [scale for scale in ((shift - FAR) / (value or 1.0), (shift + FAR) / (value or 1.0)) if scale > 0]
    cuts = sorted({low, 0.0, high, *(min(high, max(low, log(scale))) for scale in step)})
    above = whole = 0.0
    for left, right in pairwise(cuts):
        middle, half = (left + right) / 2, (right - left) / 2
        for node, weight in nodes():
            place = middle + half * node
            chance = half * weight * exp(freedom * (place - expm1(2 * place) / 2))
            whole += chance
            above += chance * erfc((value * exp(place) - shift) / sqrt(2)) / 2
    return above / whole


@cache
def nodes() -> Sequence[tuple[float, float]]:
    """Places and weights of the tanh-sinh rule for an integral from -1 to 1."""
    places = [number * FINENESS for number in range(-round(WIDTH / FINENESS), round(WIDTH / FINENESS) + 1)]
    return [(tanh(pi / 2 * sinh(at)), pi / 2 * cosh(at) / cosh(pi / 2 * sinh(at)) ** 2) for at in places]


@cache  # a report gives each effect with and without its bias
def noncentrality(value: float, freedom: float, level: float) -> float:
    """The noncentrality for which P(T <= value) = level: one end of a confidence interval for it."""
    if value < 0:
        return -noncentrality(-value, freedom, 1 - level)
    if value > LARGE_T:
        return value / LARGE_T * noncentrality(LARGE_T, freedom, level)

    @cache  # the search below asks for both ends again
    def excess(shift: float) -> float:
        return 1 - noncentral_t_tail(value, freedom, shift) - level

    step = sqrt(1 + value * value / (2 * freedom))
    low, high = value - step, value + step
    while excess(low) < 0:
        low -= step
    while excess(high) > 0:
        high += step
    return root(excess, low, high)


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function is 0 that has another sign at `low` than at `high`: by false position, the Illinois way."""
    at_low, at_high = function(low), function(high)
    for _ in range(MOST_STEPS):
        if at_low == at_high or abs(high - low) <= CLOSE * max(abs(low), abs(high)):
            break
        middle = high - at_high * (high - low) / (at_high - at_low)
        at_middle = function(middle)
        if at_middle == 0.0 or not isfinite(at_middle):
            return middle
        if (at_middle > 0) == (at_high > 0):
            at_low /= 2
        else:
            low, at_low = high, at_high
        high, at_high = middle, at_middle
    return high
