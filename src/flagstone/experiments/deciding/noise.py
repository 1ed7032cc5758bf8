"""Whether a candidate is better than the best, or the noise only made it look so.

A first run that looks better proves nothing: of many edits that change nothing, some look better, and those come here.
So the candidate is measured again, on seeds it was not chosen by, beside the best on the same seeds. Only those pairs
are judged:

- The evidence is the chance of such gains if there were none (`statistics.evidence`).
- A test looks at its evidence a few times. Each look may spend an equal part of the test's share of α.
- The shares of all tests sum to α. So at most α of all experiments without any gain keep anything.
- A test stops as soon as more pairs could hardly lead to acceptance. Stopping early never keeps anything wrongly.

A winner's repeats become the new reference. They are a little too good, being those of a winner, which makes the next
test harder, not easier. `docs/design/noise.md` has the simulations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import hypot, isclose, sqrt
from statistics import NormalDist, median
from typing import Literal

from flagstone.experiments.deciding.spending import schedule
from flagstone.plans import NoiseRule
from flagstone.statistics import deviation, evidence, mean

LARGEST = 1e300
ROUNDING = 1e-12  # of the size of the values
HEAD_START = 0.5  # simulated: how many sd a first run must be ahead of the best's median
KNOWS_ITSELF = 3  # pairs: fewer say too little about their own noise
LUCK = 1.0  # simulated: by how many standard errors the gain may be larger than it looks, before a test is given up


@dataclass(frozen=True)
class Pairs:
    """A candidate's values and those of the best, seed by seed. `loss` is by how much it may be worse."""

    ours: Sequence[float]
    theirs: Sequence[float]
    direction: str
    loss: float = 0.0

    def __len__(self) -> int:
        return len(self.ours)

    @cached_property
    def gains(self) -> list[float]:
        return [improvement(*pair, self.direction) for pair in zip(self.ours, self.theirs, strict=True)]

    @cached_property
    def excess(self) -> list[float]:
        """By how much each value is better than it has to be."""
        return [gain + self.loss for gain in self.gains]


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


def is_exact_after(before: bool | None, old: float | None, new: float | None) -> bool | None:
    """Whether the best gives the same value again on the same seed. Once it did not, it is not believed to."""
    if before is False or old is None:
        return before
    return new is not None and not varies((old, new))


def looks_better(first: float, best: Sequence[float], direction: str) -> bool:
    """Whether one run is worth repeating: it must be clearly on the better side of what is known of the best."""
    if not best or not are_numbers((first, *best)):
        return are_numbers((first,))
    return improvement(first, median(best), direction) > head_start(best)


def head_start(best: Sequence[float]) -> float:
    """By how much a first run must be better than the median of the best."""
    return HEAD_START * deviation(best) if len(best) > 1 else 0.0


def judge(pairs: Pairs, test: int, rule: NoiseRule, known: Sequence[float] = ()) -> Judgement:
    """What the pairs so far say. `known` are all values of the best: they only help to give up early."""
    count = len(pairs)
    if not are_numbers((*pairs.ours, *pairs.theirs)):
        return Judgement("reject", 0.0, 1.0, f"not every value of {pairs_text(count)} is a finite number")
    gains, plan = pairs.gains, schedule(rule.alpha, rule.max_repeats, test)
    excess = pairs.excess
    gain = mean(gains) if gains else 0.0
    if not plan.looks:
        allowed = f"max_repeats allows {rule.max_repeats}"
        return Judgement("reject", gain, 1.0, f"test {test} needs at least {plan.fewest} pairs; {allowed}")
    found = evidence(pairs.ours, pairs.theirs, excess)
    words = f"gain {gain_text(gains)} over {pairs_text(count)}, p = {found:.2g} (needs < {plan.level:.2g})"
    words += f"; a loss of {pairs.loss:.2g} counts as equal" if pairs.loss else ""
    if count > 1 and not varies(pairs.ours):
        words += "; the candidate gave one value on every seed"
    if count in plan.looks and found <= plan.level:
        return Judgement("accept", gain, found, words)
    if count >= rule.max_repeats:
        return Judgement("reject", gain, found, f"{words}; no more repeats are allowed")
    if count and is_hopeless(excess, known, plan.level, rule.max_repeats):
        return Judgement("reject", gain, found, f"{words}; more repeats are unlikely to show a gain")
    return Judgement("repeat", gain, found, words)


def are_numbers(values: Sequence[float]) -> bool:
    """Whether the values can be counted with: none is NaN or infinite, nor so large that a sum would be."""
    return sum(map(abs, values)) < LARGEST


def improvement(ours: float, theirs: float, direction: str) -> float:
    """By how much our value is better. Rounding, which may go the same way on every seed, is no difference."""
    if isclose(ours, theirs, rel_tol=ROUNDING):
        return 0.0
    return theirs - ours if direction == "min" else ours - theirs


def is_hopeless(gains: Sequence[float], known: Sequence[float], level: float, most: int) -> bool:
    """Whether the most pairs would not suffice even if the gain were larger than it looks by some luck.

    One or two pairs do not know the noise by themselves. There, what is known of the best counts like one more pair;
    since that may be another noise by now, it gives up nothing that looks better at all.
    """
    pairs = len(gains)
    error = deviation(gains) if pairs > 1 else 0.0
    if pairs < KNOWS_ITSELF:
        if len(known) < 2 or not are_numbers(known):
            return pairs > 1 and mean(gains) <= 0
        error = hypot(error * sqrt(pairs - 1), sqrt(2) * deviation(known)) / sqrt(pairs)
    least = steps_above(level) * error / sqrt(most) - LUCK * error / sqrt(pairs)
    return mean(gains) <= (min(least, 0.0) if pairs < KNOWS_ITSELF else least)


@lru_cache(maxsize=4096)
def steps_above(level: float) -> float:
    """How many standard errors a gain must be above nothing for evidence of this level, roughly."""
    return -NormalDist().inv_cdf(level)


def gain_text(gains: Sequence[float]) -> str:
    """The mean gain and its standard error."""
    if not gains:
        return "unknown"
    gain = mean(gains)
    return f"{gain:.4g} ± {deviation(gains) / sqrt(len(gains)):.2g}" if len(gains) > 1 else f"{gain:.4g}"


def pairs_text(pairs: int) -> str:
    return "1 pair" if pairs == 1 else f"{pairs} pairs"
