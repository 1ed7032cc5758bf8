"""Whether a candidate is better than the best, or the noise only made it look so.

In plain words. A first run that looks better proves nothing: of many edits that change nothing, some look better, and
those are the ones that come here. So the candidate is measured again, on seeds it was not chosen by, beside the best on
the same seeds, and only those pairs are judged:

- The evidence is the chance of seeing this much if there were no gain. Two t-tests are asked, the paired one (which
  sees more where a seed moves both alike) and Welch's (which sees more where it does not); the smaller chance counts
  twice. It is never less than what any form of noise can do by dealing alone (`spending.least_chance`), so that equal
  values, or noise of two values, are no proof.
- A test looks at its evidence a few times, and each look has an equal part of the test's share of α.
- The shares of all tests that are ever begun sum to α. So at most α of all experiments without any gain keep anything.
- A test stops as soon as more pairs could hardly lead to acceptance. Stopping early never keeps anything wrongly.

A winner's repeats become the new reference as they stand. Being those of a winner they are rather too good, which makes
the next test harder, not easier. `docs/design/noise.md` has the simulations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import fsum, hypot, isclose, sqrt
from statistics import NormalDist, median
from typing import Literal

from flagstone.experiments.deciding import spending
from flagstone.plans import NoiseRule
from flagstone.statistics import student_tail

LARGEST = 1e300
ROUNDING = 1e-12  # of the size of the values
HEAD_START = 0.25  # simulated: how many sd a first run must be ahead of the best's median
KNOWS_ITSELF = 3  # pairs: fewer say too little about their own noise
LUCK = 1.0  # simulated: by how many standard errors the gain may be larger than it looks, before a test is given up


@dataclass(frozen=True)
class Judgement:
    """What a test has come to: `gain` in the metric's units, positive is better; `evidence`, a chance, less is better.

    The stance says whether the candidate is the new best, is not, or has to be measured once more beside the best.
    """

    stance: Literal["accept", "reject", "repeat"]
    gain: float
    evidence: float
    reason: str


def varies(values: Sequence[float]) -> bool:
    """Whether the values differ by more than rounding."""
    if len(values) < 2:
        return False
    return not are_numbers(values) or not isclose(min(values), max(values), rel_tol=ROUNDING)


def looks_better(first: float, best: Sequence[float], direction: str) -> bool:
    """Whether one run is worth repeating: it must be clearly on the better side of what is known of the best."""
    if not best or not are_numbers((first, *best)):
        return are_numbers((first,))
    head_start = HEAD_START * deviation(best) if len(best) > 1 else 0.0
    return improvement(first, median(best), direction) > head_start


def judge(
    candidate: Sequence[float],
    reference: Sequence[float],
    direction: str,
    test: int,
    rule: NoiseRule,
    spread: Sequence[float] = (),
) -> Judgement:
    """What the pairs so far say. `spread` are all known values of the best: they only help to give up early."""
    pairs = len(candidate)
    if not are_numbers((*candidate, *reference)):
        return Judgement("reject", 0.0, 1.0, f"{counted(pairs)}: not every value is a finite number")
    gains = [improvement(ours, theirs, direction) for ours, theirs in zip(candidate, reference, strict=True)]
    plan = spending.plan(rule.alpha, rule.max_repeats, test)
    gain = mean(gains) if gains else 0.0
    if not plan.looks:
        allowed = f"max_repeats allows {rule.max_repeats}"
        return Judgement("reject", gain, 1.0, f"test {test} needs at least {plan.fewest} paired repeats; {allowed}")
    found = evidence(gains, candidate, reference)
    words = f"{counted(pairs)}: gain {figure(gains)}, needs evidence below {plan.level:.2g}, has {found:.2g}"
    if pairs > 1 and not varies(candidate):
        words += "; the candidate gave one value on every seed"
    if pairs in plan.looks and found <= plan.level:
        return Judgement("accept", gain, found, words)
    if pairs >= rule.max_repeats:
        return Judgement("reject", gain, found, f"{words}; no more repeats are allowed")
    if pairs and is_hopeless(gains, spread, plan.level, rule.max_repeats):
        return Judgement("reject", gain, found, f"{words}; more repeats could hardly show a gain")
    return Judgement("repeat", gain, found, words)


def are_numbers(values: Sequence[float]) -> bool:
    """Whether the values can be counted with: none is NaN or infinite, nor so large that a sum would be."""
    return sum(map(abs, values)) < LARGEST


def improvement(ours: float, theirs: float, direction: str) -> float:
    """By how much our value is better. Rounding, which may go the same way on every seed, is no difference."""
    if isclose(ours, theirs, rel_tol=ROUNDING):
        return 0.0
    return theirs - ours if direction == "min" else ours - theirs


def evidence(gains: Sequence[float], candidate: Sequence[float], reference: Sequence[float]) -> float:
    """The chance of such a gain without any: by the better of two tests, and not less than dealing alone allows."""
    pairs = len(gains)
    if pairs < 2 or mean(gains) <= 0:
        return 1.0
    steady, ours, theirs = (deviation(values) for values in (gains, candidate, reference))
    by_pairs = tail(mean(gains), steady, pairs, pairs - 1)
    both = hypot(ours, theirs)
    freedom = (pairs - 1) / ((ours / both) ** 4 + (theirs / both) ** 4) if both else pairs - 1
    by_groups = tail(mean(gains), both, pairs, freedom)
    return max(min(1.0, 2 * min(by_pairs, by_groups)), spending.least_chance(pairs))


def tail(gain: float, sd: float, pairs: int, freedom: float) -> float:
    return student_tail(gain / sd * sqrt(pairs), freedom) if sd else 0.0


def mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """The standard deviation. By `hypot`, since the squares of extreme values are no floats any more."""
    middle = mean(values)
    return hypot(*[value - middle for value in values]) / sqrt(len(values) - 1)


def is_hopeless(gains: Sequence[float], spread: Sequence[float], level: float, most: int) -> bool:
    """Whether the most pairs would not suffice even if the gain were larger than it looks by some luck.

    One or two pairs do not know the noise by themselves. There, what is known of the best counts like one more pair;
    since that may be another noise by now, it gives up nothing that looks better at all.
    """
    pairs = len(gains)
    error = deviation(gains) if pairs > 1 else 0.0
    if pairs < KNOWS_ITSELF:
        if len(spread) < 2 or not are_numbers(spread):
            return pairs > 1 and mean(gains) <= 0
        error = hypot(error * sqrt(pairs - 1), sqrt(2) * deviation(spread)) / sqrt(pairs)
    least = steps_above(level) * error / sqrt(most) - LUCK * error / sqrt(pairs)
    return mean(gains) <= (min(least, 0.0) if pairs < KNOWS_ITSELF else least)


@lru_cache(maxsize=4096)
def steps_above(level: float) -> float:
    """How many standard errors a gain must be above nothing for evidence of this level, roughly."""
    return -NormalDist().inv_cdf(level)


def figure(gains: Sequence[float]) -> str:
    """The mean gain and its standard error."""
    if not gains:
        return "unknown"
    gain = mean(gains)
    return f"{gain:.4g} ± {deviation(gains) / sqrt(len(gains)):.2g}" if len(gains) > 1 else f"{gain:.4g}"


def counted(pairs: int) -> str:
    return "1 paired repeat" if pairs == 1 else f"{pairs} paired repeats"
