"""Trials without a program: values are drawn at random, and the product's own functions decide about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from random import Random

from flagstone.plans.trial import CONTROL, Look, TrialSpec
from flagstone.trials.deciding import LookRule, compare_result, look_result, screen_result, survivor, verdict
from flagstone.trials.deciding.comparison import FIRST, MOST
from flagstone.trials.deciding.screening import SCREENING_SLOTS
from flagstone.trials.outcomes import LookResult, Outcome, RunOutcome

LOOKS: tuple[Look, ...] = TrialSpec.__dataclass_fields__["looks"].default
BASELINE = 6  # runs: a1 to a5, and a1 once more
MIDDLE = 5.0  # the control's loss; its sd is 1
SCREENING = tuple(f"a{number}" for number in range(1, 6))
FRESH = tuple(f"b{number}" for number in range(1, 9))


@dataclass(frozen=True)
class World:
    """What the runs of a project are like. The metric is a loss; effects are in sd, positive is better."""

    correlation: float = 0.0  # of the runs on one seed
    minimum_effect: float = 1e-9
    control_fails: float = 0.0
    treated_fails: float = 0.0
    gives_up_above: float = inf  # a treated run that would be this much worse than the control's mean crashes instead


@dataclass(frozen=True)
class Ended:
    """What came of a campaign: the idea that a paper would be about, if there is one, and how many runs it took."""

    accepted: int | None
    runs: int


class Draws:
    """One project: what is common to all runs on a seed is drawn once."""

    def __init__(self, world: World, random: Random) -> None:
        self.world, self.random = world, random
        self.common: dict[str, float] = {}

    def runs(self, arm: str, slots: Sequence[str], effect: float = 0.0) -> list[RunOutcome]:
        fails = self.world.control_fails if arm == CONTROL else self.world.treated_fails
        return [self.run(arm, slot, effect, fails) for slot in slots]

    def run(self, arm: str, slot: str, effect: float, fails: float) -> RunOutcome:
        if fails and self.random.random() < fails:
            return RunOutcome(arm, slot, "crash")
        gauss, share = self.random.gauss, self.world.correlation
        noise = gauss(0.0, 1.0)
        if share:
            common = self.common.setdefault(slot, gauss(0.0, 1.0))
            noise = sqrt(share) * common + sqrt(1 - share) * noise
        value = MIDDLE - effect + noise
        if arm != CONTROL and value > MIDDLE + self.world.gives_up_above:
            return RunOutcome(arm, slot, "crash")
        return RunOutcome(arm, slot, "ok", value)


def confirmed(draws: Draws, effect: float) -> tuple[Outcome, LookResult]:
    """One idea on fresh seeds, look by look, up to its verdict."""
    control, treated = draws.runs(CONTROL, FRESH), draws.runs("idea", FRESH, effect)
    for number, look in enumerate(LOOKS, 1):
        rule = LookRule(number, look.alpha, draws.world.minimum_effect, "min")
        last = look_result("idea", control[: look.pairs], treated[: look.pairs], rule)
        if last.is_accepted:
            break
    return verdict(last, draws.world.minimum_effect)[0], last


def confirm_campaign(world: World, effects: Sequence[float], random: Random) -> Ended:
    """All ideas are screened against the stored control, and the best is confirmed. Checks pass, and cost a run."""
    draws = Draws(world, random)
    control = draws.runs(CONTROL, SCREENING_SLOTS)
    screens = [
        screen_result(str(idea), control, draws.runs(str(idea), SCREENING_SLOTS, effect), "min")
        for idea, effect in enumerate(effects)
    ]
    runs = BASELINE + len(effects) * (len(SCREENING_SLOTS) + 1)
    best = survivor(screens)
    if best is None:
        return Ended(None, runs)
    outcome, last = confirmed(draws, effects[int(best.arm)])
    runs += 2 * len(last.pairs)
    return Ended(int(best.arm) if outcome == Outcome.SUPPORTED else None, runs)


def cohens_d_campaign(effects: Sequence[float], random: Random) -> Ended:
    """The ideas one after another until one proceeds. The code is deterministic: the control's values come again."""
    draws = Draws(World(), random)
    control = draws.runs(CONTROL, SCREENING)
    runs = len(SCREENING)
    for idea, effect in enumerate(effects):
        treated = draws.runs(str(idea), SCREENING, effect)
        found = compare_result(str(idea), control[:FIRST], treated[:FIRST], "min")
        runs += 2 * FIRST + 1
        if found.outcome is None:
            found = compare_result(str(idea), control[:MOST], treated[:MOST], "min")
            runs += 2 * (MOST - FIRST)
        if found.outcome == Outcome.PROCEED:
            return Ended(idea, runs)
    return Ended(None, runs)


def confirm_campaigns(count: int, effects: Sequence[float], world: World = World(), seed: int = 0) -> Iterator[Ended]:
    random = Random(seed)
    return (confirm_campaign(world, effects, random) for _ in range(count))


def cohens_d_campaigns(count: int, effects: Sequence[float], seed: int = 0) -> Iterator[Ended]:
    random = Random(seed)
    return (cohens_d_campaign(effects, random) for _ in range(count))


def outcomes(count: int, effect: float, world: World, seed: int = 0) -> list[Outcome]:
    """The words that one idea ends with, if it is confirmed without a screen."""
    random = Random(seed)
    return [confirmed(Draws(world, random), effect)[0] for _ in range(count)]
