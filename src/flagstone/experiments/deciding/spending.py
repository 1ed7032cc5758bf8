"""How the α of a whole experiment is spent: a share for every test begun, and when within a test it is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import log

from flagstone.statistics import least_chance

PACE = 10  # simulated: fewer favours the first ten tests, more the ones after the thousandth; 200 nulls lie between
LOOKS = 5  # simulated: with three a gain waits long for its look, with eight each look has too little to spend


def alpha_left(alpha: float, tests: int) -> float:
    """The part of α that is left after so many tests: all of it before the first one, and never zero."""
    return alpha * log(PACE) / log(PACE + tests)


def share(alpha: float, test: int) -> float:
    """What the test of this number, counted from 1, may spend. All shares together are α, since each is a step down."""
    return alpha_left(alpha, test - 1) - alpha_left(alpha, test)


@dataclass(frozen=True)
class Schedule:
    """After how many pairs one test may accept, and below which evidence. No looks: the pairs allowed never suffice."""

    looks: tuple[int, ...]
    level: float
    fewest: int


@lru_cache(maxsize=4096)
def schedule(alpha: float, most: int, test: int) -> Schedule:
    """The looks of a test, evenly spaced by ratio from the first count that can suffice to the most allowed."""
    whole = share(alpha, test)
    alone = fewest_pairs(whole)
    if alone > most:
        return Schedule((), whole, alone)
    first = fewest_pairs(whole / LOOKS)
    if first >= most:
        return Schedule((most,), whole, alone)
    ratio = most / first
    looks = sorted({round(first * ratio ** (step / (LOOKS - 1))) for step in range(LOOKS)})
    return Schedule(tuple(looks), whole / len(looks), first)


def fewest_pairs(level: float) -> int:
    """From how many pairs on evidence below this level is possible at all."""
    pairs = 2
    while least_chance(pairs) > level:
        pairs += 1
    return pairs
