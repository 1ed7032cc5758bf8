"""How likely a t-distributed figure is to come out this large: Student's upper tail, in plain Python."""

from __future__ import annotations

from math import exp, isinf, lgamma, log, log1p, sqrt

TINY = 1e-300
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
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * (log(x) if x < 0.5 else log1p(-rest))) * sqrt(rest)
    if x < (a + 1) / (a + b + 2):
        return front * beta_fraction(x, a, b) / a
    return 1 - front * beta_fraction(rest, b, a) / b


def beta_fraction(x: float, a: float, b: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    c = 1.0
    d = 1 / apart(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, LONGEST_FRACTION):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / apart(1 + even * d)
        c = apart(1 + even / c)
        found *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / apart(1 + odd * d)
        c = apart(1 + odd / c)
        found *= d * c
        if abs(d * c - 1) < PRECISION:
            break
    return found


def apart(value: float) -> float:
    """The value, or one next to zero in its place: Lentz's method divides by it."""
    return value if abs(value) > TINY else TINY
