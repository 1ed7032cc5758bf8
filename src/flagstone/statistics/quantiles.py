"""Quantiles and probabilities of Student's t distribution, central and noncentral."""

from __future__ import annotations

from math import sqrt

LARGE_T = 1e4  # from here on the normal part of a noncentral t is below 1e-7 of it, and scipy's series gets slow


def t_quantile(level: float, freedom: float) -> float:
    """The t that is not exceeded with probability `level`."""
    from scipy.stats import t

    return float(t.ppf(level, freedom))


def t_cdf(value: float, freedom: float) -> float:
    """P(T <= value)."""
    from scipy.stats import t

    return float(t.cdf(value, freedom))


def t_tail(value: float, freedom: float) -> float:
    """P(T > value), exact also where it is tiny."""
    from scipy.stats import t

    return float(t.sf(value, freedom))


def noncentral_t_tail(value: float, freedom: float, shift: float) -> float:
    """P(T > value) if T is a noncentral t with noncentrality `shift`."""
    from scipy.stats import nct

    return float(nct.sf(value, freedom, shift))


def noncentrality(value: float, freedom: float, level: float) -> float:
    """The noncentrality for which P(T <= value) = level: one end of a confidence interval for it."""
    from scipy.optimize import brentq
    from scipy.stats import chi2, nct, norm

    if value < 0:
        return -noncentrality(-value, freedom, 1 - level)
    if value > LARGE_T:
        return float(value * sqrt(chi2.ppf(1 - level, freedom) / freedom))

    def excess(shift: float) -> float:
        return float(nct.cdf(value, freedom, shift) - level)

    # scipy's cdf is NaN far from its mode: begin close to it, and grow the bracket only as far as needed.
    low = float(-norm.ppf(level)) - 0.1
    step = sqrt(1 + value * value / (2 * freedom))
    high = max(low, value) + step
    while excess(high) > 0:
        high += step
    return float(brentq(excess, low, high, xtol=1e-12, rtol=1e-12))
