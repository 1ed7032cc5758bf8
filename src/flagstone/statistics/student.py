"""How likely a t-distributed figure is to come out this large: Student's upper tail, in plain Python."""

from __future__ import annotations

from math import exp, isinf, lgamma, log, log1p, pi, sqrt

TINY = 1e-300  # in place of a zero that would be divided by
LARGE = 1000.0  # from here on three terms of the series have all digits
PRECISION = 1e-15
LONGEST_FRACTION = 500


def student_tail(t: float, freedom: float) -> float:
    """P(T > t) for `freedom` degrees of freedom, which need not be whole."""
    if isinf(t):
        return 0.0 if t > 0 else 1.0
    square = t * t
    half = 0.5 * beta_share(freedom / (freedom + square), square / (freedom + square), freedom / 2)
    return half if t > 0 else 1 - half


def beta_share(x: float, rest: float, a: float) -> float:
    """The regularised incomplete beta function I_x(a, 1/2); `rest` is 1 - x, which the caller knows more exactly."""
    if x <= 0.0 or rest <= 0.0:
        return 0.0 if x <= 0.0 else 1.0
    b = 0.5
    front = exp(half_step(a) + a * (log(x) if x < 0.5 else log1p(-rest))) * sqrt(rest / pi)
    if x < (a + 1) / (a + b + 2):
        return front * beta_fraction(x, a, b) / a
    return 1 - front * beta_fraction(rest, b, a) / b


def half_step(a: float) -> float:
    """The logarithm of gamma(a + 1/2) / gamma(a). Where both are huge, their difference would have no digits left."""
    if a < LARGE:
        return lgamma(a + 0.5) - lgamma(a)
    return 0.5 * log(a) - 1 / (8 * a) + 1 / (192 * a**3)


def beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c = 1.0
    d = 1 / (1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, LONGEST_FRACTION):
        at = a + 2 * m
        even = m * (b - m) * x / ((at - 1) * at)
        odd = -(a + m) * (a + b + m) * x / (at * (at + 1))
        d = 1 / ((1 + even * d) or TINY)
        c = (1 + even / c) or TINY
        found *= d * c
        d = 1 / ((1 + odd * d) or TINY)
        c = (1 + odd / c) or TINY
        step = d * c
        found *= step
        if abs(step - 1) < PRECISION:
            break
    return found
