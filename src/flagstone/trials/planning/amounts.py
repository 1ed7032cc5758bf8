"""How many runs a trial takes, and how many hours and dollars."""

from __future__ import annotations

from dataclasses import dataclass

from flagstone.plans import TrialSpec

REPEATS = 5  # of the baseline on its first seed, if a run does not repeat its number
SCREENED = 3
EXTENDED = 5  # of the gate cohens_d


@dataclass(frozen=True)
class Amounts:
    """The fewest and the most of each. `seconds` is the time of a run: measured, or its limit."""

    runs: tuple[int, int]
    hours: tuple[float, float]
    gpu_hours: tuple[float, float]
    seconds: float
    is_measured: bool
    asks_agents: bool  # which costs money besides


def amounts_of(spec: TrialSpec, wall_s: float | None, is_deterministic: bool | None) -> Amounts:
    """The amounts of a whole trial, its baseline included. Without a baseline, a run takes its limit at most."""
    seconds = wall_s if wall_s is not None else spec.experiment.harness.seconds
    runs = runs_of(spec, is_deterministic)
    hours = (runs[0] * seconds / 3600, runs[1] * seconds / 3600)
    gpus = spec.experiment.harness.gpus
    return Amounts(runs, hours, (hours[0] * gpus, hours[1] * gpus), seconds, wall_s is not None, not spec.arms)


def runs_of(spec: TrialSpec, is_deterministic: bool | None) -> tuple[int, int]:
    """The fewest runs if every idea passes what it meets, and the most."""
    noisy = [False, True] if is_deterministic is None else [not is_deterministic]
    counts = [count for is_noisy in noisy for count in counts_of(spec, is_noisy)]
    return min(counts), max(counts)


def counts_of(spec: TrialSpec, is_noisy: bool) -> tuple[int, int]:
    baseline = len(spec.screening) + 1 + (REPEATS - 2 if is_noisy else 0)
    arms = len(spec.arms) or spec.ideas
    if spec.gate == "cohens_d":
        # the runs of the checks are among those of the comparison
        once_more = arms if is_noisy else 0
        return baseline + arms * 2 * SCREENED + once_more, baseline + arms * 2 * EXTENDED + once_more
    switched = sum(1 for arm in spec.arms if arm.switch or arm.env) if spec.arms else arms
    checks = switched * (2 if is_noisy else 1) + arms
    screen = arms * (SCREENED - 1) if spec.screen else 0  # the run of the check is the first of them
    confirmed = 1 if spec.screen else arms
    before = baseline + checks + screen
    return before + spec.looks[0].pairs * (1 + confirmed), before + spec.pairs * (1 + confirmed)
