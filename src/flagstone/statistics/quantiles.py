"""Quantiles and probabilities of Student's t distribution, central and noncentral.

`scipy.stats` has the same numbers, and takes three times as long to load: each look of a trial would wait for it.
"""

from __future__ import annotations

from math import sqrt

LARGE_T = 1e4  # from here on the normal part of a noncentral t is below 1e-7 of it, and scipy's series gets slow


def t_quantile(level: float, freedom: float) -> float:
    """The t that is not exceeded with probability `level`."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, level))


def t_cdf(value: float, freedom: float) -> float:
    """P(T <= value)."""
    from scipy.special import stdtr

    return float(stdtr(freedom, value))


def t_tail(value: float, freedom: float) -> float:
    """P(T > value), exact also where it is tiny."""
    return t_cdf(-value, freedom)


def noncentral_t_tail(value: float, freedom: float, shift: float) -> float:
    """P(T > value) if T is a noncentral t with noncentrality `shift`."""
    from scipy.special import nctdtr

    return 1.0 - float(nctdtr(freedom, shift, value))


def noncentrality(value: float, freedom: float, level: float) -> float:
    """The noncentrality for which P(T <= value) = level: one end of a confidence interval for it."""
    from scipy.optimize import brentq
    from scipy.special import chdtri, nctdtr, ndtri

    if value < 0:
        return -noncentrality(-value, freedom, 1 - level)
    if value > LARGE_T:
        return float(value * sqrt(chdtri(freedom, level) / freedom))

    def excess(shift: float) -> float:
        return float(nctdtr(freedom, shift, value) - level)

    # scipy's cdf is NaN far from its mode: begin close to it, and grow the bracket only as far as needed.
    low = float(-ndtri(level)) - 0.1
    step = sqrt(1 + value * value / (2 * freedom))
    high = max(low, value) + step
    while excess(high) > 0:
        high += step
    return float(brentq(excess, low, high, xtol=1e-12, rtol=1e-12))
