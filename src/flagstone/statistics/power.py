"""How likely a test finds an effect, and how many runs that takes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from math import inf, sqrt
from typing import Literal

from flagstone.statistics.quantiles import noncentral_t_tail, root, t_quantile

Sides = Literal[1, 2]
SIMULATED = 400_000  # the error of a power is then below .0025 (3 sigma)
MOST_PAIRS = 10**15


def paired_power(dz: float, n: float, alpha: float = 0.05, sides: Sides = 1) -> float:
    """Of the paired t-test with n pairs; `dz` is the true mean improvement over its sd."""
    return t_power(dz * sqrt(n), n - 1, alpha, sides)


def two_sample_power(d: float, n: float, alpha: float = 0.05, sides: Sides = 1) -> float:
    """Of the t-test with n values in each group."""
    return t_power(d * sqrt(n / 2), 2 * n - 2, alpha, sides)


def t_power(shift: float, freedom: float, alpha: float, sides: Sides) -> float:
    critical = t_quantile(1 - alpha / sides, freedom)
    above = noncentral_t_tail(critical, freedom, shift)
    return above if sides == 1 else above + noncentral_t_tail(critical, freedom, -shift)


def group_size(d: float, power: float = 0.8, alpha: float = 0.05, sides: Sides = 1) -> float:
    """How many values each group needs for a power: not rounded, so that tables of power can be compared."""
    if d <= 0:
        raise ValueError(f"no number of runs finds an effect of {d}")
    high = 2.0
    while two_sample_power(d, high, alpha, sides) < power:
        high *= 2
    return root(lambda n: two_sample_power(d, n, alpha, sides) - power, 1.01, high)


def pairs_needed(effect: float, sd: float, correlation: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """How many pairs the one-sided paired t-test needs. `effect` and `sd` of one arm are in the metric's units."""
    if effect <= 0 or sd <= 0 or not -1 <= correlation < 1:
        raise ValueError(f"cannot size a trial for effect {effect}, sd {sd}, correlation {correlation}")
    dz = effect / (sd * sqrt(2 * (1 - correlation)))
    return 2 + bisect_left(range(2, MOST_PAIRS), power, key=lambda n: paired_power(dz, n, alpha))


def ladder_power(dz: float, looks: Sequence[tuple[int, float]], minimum: float = -inf) -> float:
    """The chance that one of the looks, (pairs so far, alpha) each, accepts an effect; simulated with a fixed seed.

    `minimum` is the mean that a look must also see, in units of the sd of the improvements. At a true effect of
    just that size, half of the means of a look lie below it, however many pairs there are.
    """
    import numpy as np

    draw = np.random.default_rng(0)
    n, mean, squares = 0, np.zeros(SIMULATED), np.zeros(SIMULATED)
    is_accepted = np.zeros(SIMULATED, dtype=bool)
    for pairs, alpha in looks:
        new = pairs - n
        if new < 1:
            raise ValueError(f"a look at {pairs} pairs cannot follow one at {n}")
        # Only the mean and the squares of the new pairs matter, and their distributions are known.
        step = dz + draw.standard_normal(SIMULATED) / sqrt(new) - mean
        squares += (draw.chisquare(new - 1, SIMULATED) if new > 1 else 0.0) + step**2 * n * new / pairs
        mean += step * new / pairs
        n = pairs
        if n > 1:
            error = np.sqrt(squares / (n - 1) / n)
            is_accepted |= (mean >= t_quantile(1 - alpha, n - 1) * error) & (mean >= minimum)
    return float(is_accepted.mean())
