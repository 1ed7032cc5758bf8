"""The paired t-test: are the improvements of pairs more than their noise?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

from flagstone.statistics.gain import deviation, mean
from flagstone.statistics.quantiles import t_quantile, t_tail
from flagstone.statistics.samples import is_negligible, require_finite


@dataclass(frozen=True)
class PairedTest:
    """What improvements say. `p` is one-sided (the mean is above 0); the interval is two-sided, 95 %.

    One pair has no sd. One pair, or pairs without noise, have no t, p or interval: these are None.
    """

    n: int
    mean: float
    sd: float | None
    t: float | None
    p: float | None
    p_two_sided: float | None
    ci_low: float | None
    ci_high: float | None


def paired_test(e: Sequence[float]) -> PairedTest:
    """Test whether improvements are above 0 on average.

    Ask `is_degenerate` first: only the values of the arms tell how large rounding can be.
    """
    require_finite(e)
    n, middle = len(e), mean(e)
    sd = deviation(e) if n > 1 else None
    if (error := standard_error(e)) is None:
        return PairedTest(n, middle, sd, None, None, None, None, None)
    t = middle / error
    half = t_quantile(0.975, n - 1) * error
    return PairedTest(n, middle, sd, t, t_tail(t, n - 1), 2 * t_tail(abs(t), n - 1), middle - half, middle + half)


def upper_bound(e: Sequence[float], level: float = 0.95) -> float:
    """The true mean lies below this with confidence `level`. Returns infinity if no test is defined."""
    error = standard_error(e)
    return inf if error is None else mean(e) + t_quantile(level, len(e) - 1) * error


def lower_bound(e: Sequence[float], alpha: float) -> float:
    """The true mean lies above this with confidence 1 - alpha. Returns minus infinity if no test is defined."""
    return -upper_bound([-value for value in e], 1 - alpha)


def standard_error(e: Sequence[float]) -> float | None:
    """Of the mean. Returns None for one value, and for values that differ by rounding only."""
    require_finite(e)
    if len(e) < 2 or is_negligible(sd := deviation(e), e):
        return None
    return sd / sqrt(len(e))
