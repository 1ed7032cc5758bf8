"""How certain a gain is: the chance that paired values differ so much although nothing was gained."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, fsum, hypot, sqrt

from flagstone.statistics.student import student_tail


def evidence(ours: Sequence[float], theirs: Sequence[float], gains: Sequence[float]) -> float:
    """The chance of such gains if there were none, by the better of the paired t-test and Welch's.

    It counts twice, since two tests are asked, and is never less than `least_chance`.
    """
    pairs = len(gains)
    if pairs < 2 or mean(gains) <= 0:
        return 1.0
    both = hypot(deviation(ours), deviation(theirs))
    shares = [deviation(values) / both for values in (ours, theirs)] if both else []
    freedom = (pairs - 1) / sum(share**4 for share in shares) if shares else pairs - 1
    by_pairs = tail(mean(gains), deviation(gains), pairs, pairs - 1)
    by_groups = tail(mean(gains), both, pairs, freedom)
    return max(min(1.0, 2 * min(by_pairs, by_groups)), least_chance(pairs))


def least_chance(pairs: int) -> float:
    """The chance that all our values beat all of theirs when the same noise, of whatever form, deals both."""
    return 1 / comb(2 * pairs, pairs)


def tail(gain: float, sd: float, pairs: int, freedom: float) -> float:
    return student_tail(gain / sd * sqrt(pairs), freedom) if sd else 0.0


def mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """The standard deviation. By `hypot`, since the squares of extreme values are no floats any more."""
    middle = mean(values)
    return hypot(*[value - middle for value in values]) / sqrt(len(values) - 1)
