"""Experiments without a program: values are drawn at random, everything else is decided as the engine decides it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import e, exp, sqrt
from random import Random

from flagstone.experiments.deciding import noise

RULE = noise.NoiseRule()
Draw = Callable[[Random], float]


def lognormal(random: Random) -> float:
    return (exp(random.gauss(0, 1)) - sqrt(e)) / sqrt((e - 1) * e)


def heavy_tailed(random: Random) -> float:
    """Student's t with three degrees of freedom."""
    return random.gauss(0, 1) / sqrt(random.gammavariate(1.5, 2 / 3)) / sqrt(3)


DRAWS: Mapping[str, Draw] = {  # all with mean 0 and sd 1
    "normal": lambda random: random.gauss(0, 1),
    "lognormal": lognormal,
    "lognormal, good outliers": lambda random: -lognormal(random),
    "t3": heavy_tailed,
    "uniform": lambda random: (random.random() - 0.5) * sqrt(12),
    "two values": lambda random: random.choice((-1.0, 1.0)),
}


@dataclass(frozen=True)
class World:
    """What a value is made of: noise of sd 1 of some form, part of it common to all runs on one seed."""

    draw: Draw = DRAWS["normal"]
    candidate_sd: float = 1.0
    common: float = 0.0
    direction: str = "max"


@dataclass
class Experiment:
    """One experiment, whose edits change the true value by a known number of sd."""

    world: World
    random: Random
    rule: noise.NoiseRule = RULE
    best: float = 0.0
    best_sd: float = 1.0
    tests: int = 0
    pairs: int = 0
    best_runs: int = 0
    seeds: dict[int, float] = field(default_factory=dict)
    reference: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for repeat in range(self.rule.baseline_repeats):
            self.reference[repeat] = self.value(0.0, 1.0, repeat)

    def value(self, true: float, sd: float, repeat: int) -> float:
        common = self.world.common
        drawn = sqrt(1 - common) * self.world.draw(self.random)
        if common:
            if repeat not in self.seeds:
                self.seeds[repeat] = self.world.draw(self.random)
            drawn += sqrt(common) * self.seeds[repeat]
        value = true + sd * drawn
        return value if self.world.direction == "max" else -value

    def keeps(self, gain: float) -> bool:
        """Whether the next edit becomes the best."""
        sd = 1.0 if gain > 0 else self.world.candidate_sd
        true, direction = self.best + gain, self.world.direction
        first = self.value(true, sd, 0)
        if not noise.looks_better(first, list(self.reference.values()), direction):
            return False
        self.tests += 1
        values: list[float] = []
        reference: list[float] = []
        while True:
            known = list(self.reference.values())
            found = noise.judge(noise.Pairs(values, reference, direction), self.tests, self.rule, known)
            if found.stance != "repeat":
                break
            repeat = len(values) + 1
            values.append(self.value(true, sd, repeat))
            if repeat not in self.reference:
                self.reference[repeat] = self.value(self.best, self.best_sd, repeat)
                self.best_runs += 1
            reference.append(self.reference[repeat])
        self.pairs += len(values)
        if found.stance == "accept":
            self.best, self.best_sd = true, sd
            self.reference = {0: first, **dict(enumerate(values, start=1))}
        return found.stance == "accept"


@dataclass(frozen=True)
class Tally:
    """What many experiments came to.

    `wrong`: in which part of them an edit without a gain was kept. `power`: in which part the last edit was kept, and
    `pairs` how many that took. `runs`: repeats of candidates and of the best for each edit before the last.
    """

    wrong: float
    power: float
    pairs: float
    runs: float


Begin = Callable[[World, Random], Experiment]


def tally(world: World, gains: Sequence[float], loops: int, seed: int, begin: Begin = Experiment) -> Tally:
    """Many experiments of the same edits, by the gain that each truly brings, from one seed."""
    random = Random(seed)
    wrong = kept = pairs = runs = 0
    for _ in range(loops):
        experiment = begin(world, random)
        kept_before = [gain for gain in gains[:-1] if experiment.keeps(gain)]
        is_wrong = 0.0 in kept_before
        runs += experiment.pairs + experiment.best_runs
        before = experiment.pairs
        is_kept = experiment.keeps(gains[-1])
        wrong += is_wrong or (is_kept and not gains[-1])
        kept += is_kept
        pairs += experiment.pairs - before if is_kept else 0
    return Tally(wrong / loops, kept / loops, pairs / max(kept, 1), runs / (loops * len(gains)))
