"""Tests and intervals of paired differences, with numpy alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def t_cdf(t: float, df: int) -> float:
    """Student's distribution for a whole number of degrees of freedom (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = math.atan2(t, math.sqrt(df))
    cosine, is_odd = math.cos(angle), df % 2
    term = cosine if is_odd else 1.0
    total = 0.0
    for number in range(2 + is_odd, df + 1, 2):
        total += term
        term *= cosine * cosine * (number - 1) / number
    inside = 2.0 / math.pi * (angle + math.sin(angle) * total) if is_odd else math.sin(angle) * total
    return 0.5 + 0.5 * inside


def t_quantile(probability: float, df: int) -> float:
    """The value below which t lies with this probability (above one half), by bisection."""
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2.0
        low, high = (middle, high) if t_cdf(middle, df) < probability else (low, middle)
    return high


def paired_t(differences: Floats) -> tuple[float, float, float]:
    """The mean, its standard error, and the one-sided p of a mean above zero; p is NaN if nothing varies."""
    mean, error = float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(len(differences)))
    if error <= 1e-12 * max(1.0, abs(mean)):
        return mean, 0.0, math.nan
    return mean, error, 1.0 - t_cdf(mean / error, len(differences) - 1)


def interval(differences: Floats, level: float = 0.95) -> tuple[float, float]:
    """The two-sided t interval of the mean."""
    mean, error, _ = paired_t(differences)
    reach = t_quantile(0.5 + level / 2.0, len(differences) - 1) * error
    return mean - reach, mean + reach


def sign_flip_p(differences: Floats) -> float:
    """One-sided and exact: the share of all patterns of signs whose sum is at least the one seen."""
    sums = np.zeros(1)
    for difference in np.abs(differences):
        sums = np.concatenate([sums + difference, sums - difference])
    return float(np.mean(sums >= differences.sum() - 1e-9))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's corrected p, in the order given; an undefined p counts as 1."""
    known = [1.0 if math.isnan(p) else p for p in p_values]
    corrected, worst = [0.0] * len(known), 0.0
    for rank, place in enumerate(sorted(range(len(known)), key=known.__getitem__)):
        worst = max(worst, min(1.0, (len(known) - rank) * known[place]))
        corrected[place] = worst
    return corrected
