"""Exact tests, which assume nothing about the form of the noise, and the smallest p that a test can reach."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import compress
from math import fsum
from typing import Literal

from flagstone.statistics.gain import least_chance
from flagstone.statistics.samples import ROUNDING, require_finite

MOST_EXACT = 32  # pairs; the patterns of more are sampled
SAMPLED = 100_000


def sign_flip(e: Sequence[float]) -> float:
    """The share of sign patterns whose sum is at least the observed one. Ties count as such.

    Flipping the signs of some values takes twice their sum away. So a pattern counts if the values that it flips
    sum to no more than 0, and the subsets that do can be counted by halves.
    """
    require_finite(e)
    tie = ROUNDING * fsum(map(abs, e))
    if len(e) > MOST_EXACT:
        return sampled_flips(e, tie)
    half = len(e) // 2
    others = sorted(subset_sums(e[half:]))
    return sum(bisect_right(others, tie - own) for own in subset_sums(e[:half])) / 2.0 ** len(e)


def subset_sums(values: Sequence[float]) -> list[float]:
    sums = [0.0]
    for value in values:
        sums += [value + each for each in sums]
    return sums


def sampled_flips(e: Sequence[float], tie: float) -> float:
    """Of random patterns and the observed one, so that it is a valid p and never 0."""
    draw = random.Random(0)
    bits = [draw.getrandbits(len(e)) for _ in range(SAMPLED)]
    hits = sum(fsum(compress(e, map(int, f"{each:0{len(e)}b}"))) <= tie for each in bits)
    return (hits + 1) / (SAMPLED + 1)


def smallest_p(n: int, test: Literal["sign_flip", "permutation", "paired_t", "welch"]) -> float:
    """The smallest one-sided p of a test with n pairs, or n values in each of two groups: 1 if it is not defined."""
    if test == "sign_flip":
        return 0.5**n
    if test == "permutation":
        return least_chance(n)
    return 0.0 if n > 1 else 1.0  # a t can be as large as one likes
