"""Experiments without a program: values are drawn at random, and the product's own judge decides about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import e, exp, sqrt
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

from flagstone.experiments.candidates import Candidate, Snapshot, seed_for
from flagstone.experiments.engine.judging import Judge
from flagstone.experiments.ledger import Progress
from flagstone.experiments.measuring import Measurement
from flagstone.plans import NoiseRule, Spec
from flagstone.plans.spec import spec_of

RULE = NoiseRule()
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
    """What a value is made of: noise of sd 1 of some form, part of it common to all runs on one seed.

    In time it may drift by some sd a run, make one step somewhere in the first `step_within` runs, be correlated with
    the run before, or walk. If it `repeats`, the same files give the same value again on the same seed.
    """

    draw: Draw = DRAWS["normal"]
    candidate_sd: float = 1.0
    common: float = 0.0
    direction: str = "max"
    repeats: bool = False
    drift: float = 0.0
    step: float = 0.0
    step_within: int = 120
    correlation: float = 0.0
    walk: float = 0.0


IN_TIME: Mapping[str, World] = {
    "independent": World(),
    "better by 0.03 sd a run": World(drift=0.03),
    "worse by 0.03 sd a run": World(drift=-0.03),
    "one step of 1.5 sd, better": World(step=1.5),
    "one step of 1.5 sd, worse": World(step=-1.5),
    "AR(0.5)": World(correlation=0.5),
    "AR(0.8)": World(correlation=0.8),
    "random walk, 0.3 sd a run": World(walk=0.3),
}


@dataclass
class Noise:
    """The noise of one experiment, run by run."""

    world: World
    random: Random
    runs: int = 0
    moving: float = 0.0
    seeds: dict[int, float] = field(default_factory=dict)
    step_at: int = 0

    def __post_init__(self) -> None:
        self.step_at = self.random.randrange(RULE.baseline_repeats, self.world.step_within)
        self.correlated = self.random.gauss(0, 1)

    def of_run(self, seed: int, sd: float) -> float:
        """The noise of the next run."""
        world = self.world
        drawn = world.draw(self.random)
        if world.correlation:
            self.correlated = world.correlation * self.correlated + sqrt(1 - world.correlation**2) * drawn
            drawn = self.correlated
        drawn *= sqrt(1 - world.common)
        if world.common:
            if seed not in self.seeds:
                self.seeds[seed] = world.draw(self.random)
            drawn += sqrt(world.common) * self.seeds[seed]
        self.runs += 1
        self.moving += world.drift + (world.step if self.runs == self.step_at else 0.0)
        self.moving += world.walk * self.random.gauss(0, 1) if world.walk else 0.0
        return sd * drawn + self.moving


def spec_for(world: World, rule: NoiseRule) -> Spec:
    return spec_of(
        "noise",
        Path("/nowhere"),
        {
            "goal": "a better number",
            "subject": {"mutable": ["edit"]},
            "harness": {"argv": ["true"]},
            "metric": {"name": "value", "direction": world.direction},
            "noise": {"alpha": rule.alpha, "max_repeats": rule.max_repeats, "baseline_repeats": rule.baseline_repeats},
        },
    )


@dataclass
class Experiment:
    """One experiment, whose edits change the true value by a known number of sd."""

    world: World
    random: Random
    rule: NoiseRule = RULE
    progress: Progress = field(default_factory=Progress)
    best: float = 0.0
    runs: int = 0
    pairs: int = 0
    trees: dict[str, tuple[float, float]] = field(default_factory=dict)
    drawn: dict[tuple[str, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.noise = Noise(self.world, self.random)
        files = lambda tree: {"edit": tree.encode()}  # noqa: E731
        self.opened: Any = SimpleNamespace(
            spec=spec_for(self.world, self.rule), subject=SimpleNamespace(files=files), start={"contract": ""}
        )
        self.judge("base", 0.0, 1.0)

    def value(self, tree: str, seed: int) -> float:
        if not (self.world.repeats and (tree, seed) in self.drawn):
            true, sd = self.trees[tree]
            self.drawn[tree, seed] = true + self.noise.of_run(seed, sd)
        value = self.drawn[tree, seed]
        return value if self.world.direction == "max" else -value

    def measure(self, tree: str, part: str, seed: int) -> Measurement:
        self.runs += 1
        return Measurement(part, seed, "ok", value=self.value(tree, seed))

    def judge(self, tree: str, true: float, sd: float) -> bool:
        """Whether these files become the best, by what the engine would write about them."""
        self.trees[tree] = (true, sd)
        now = self.progress
        parent = now.best.tree if now.best else tree
        made = Candidate(now.number + 1, now.best_run, parent, Snapshot(tree, tree))
        judge = Judge(self.opened, now, made, self.measure, lambda: None)
        entry = judge.entry(self.measure(tree, "first", seed_for(0, 0)))
        self.progress = now.after(entry)
        self.pairs = int(entry.judgement.get("pairs", 0))
        return entry.improved

    def keeps(self, gain: float) -> bool:
        """Whether the next edit becomes the best."""
        sd, true = 1.0 if gain > 0 else self.world.candidate_sd, self.best + gain
        is_kept = self.judge(f"tree {self.progress.number}", true, sd)
        if is_kept:
            self.best = true
        return is_kept


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


Begin = Callable[[World, Random], Any]


def tally(world: World, gains: Sequence[float], loops: int, seed: int, begin: Begin = Experiment) -> Tally:
    """Many experiments of the same edits, by the gain that each truly brings, from one seed."""
    random = Random(seed)
    wrong = kept = pairs = runs = 0
    for _ in range(loops):
        experiment = begin(world, random)
        before = experiment.runs
        kept_before = [gain for gain in gains[:-1] if experiment.keeps(gain)]
        runs += experiment.runs - before - len(gains[:-1])
        is_kept = experiment.keeps(gains[-1])
        wrong += 0.0 in kept_before or (is_kept and not gains[-1])
        kept += is_kept
        pairs += experiment.pairs if is_kept else 0
    return Tally(wrong / loops, kept / loops, pairs / max(kept, 1), runs / (loops * max(len(gains) - 1, 1)))
