"""Which step of a trial comes next, and which runs it needs: decided from the plan and the ledger alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from flagstone.plans import CONTROL, TrialSpec
from flagstone.trials.deciding import SCREENING_SLOTS, survivor
from flagstone.trials.running.state import TrialState

StepKind = Literal["baseline", "attempt", "checks", "screen", "compare", "confirm", "verdict", "done"]
RunKey = tuple[str, str]  # arm and slot

COMPARED = ("a1", "a2", "a3", "a4", "a5")
ONCE_MORE = "a1r2"
REPEATED = ("a1", ONCE_MORE, "a1r3", "a1r4", "a1r5")
OFF = "-off"
REPAIR = "r"  # how the name of a repaired idea ends: idea1r


@dataclass(frozen=True)
class TrialStep:
    """One step: what it is about, the treated arms that it decides about, and the runs that it needs."""

    number: int
    what: StepKind
    arms: tuple[str, ...] = ()
    runs: tuple[RunKey, ...] = ()


def next_step(spec: TrialSpec, state: TrialState) -> TrialStep:
    """The step that comes next. A step that a kill cut in two comes again, under its number."""
    if state.story.verdict:
        return TrialStep(steps_done(spec, state) + 1, "done")
    if state.was_tampered_with:
        return TrialStep(steps_done(spec, state) + 1, "verdict")
    if state.baseline is None or state.story.prereg is None:
        return TrialStep(1, "baseline", runs=keys([CONTROL], (*COMPARED, ONCE_MORE)))
    step = checking_step(spec, state)
    if step is None:
        step = screening_step(spec, state) if spec.gate == "confirm" else comparing_step(spec, state)
    return step or confirming_step(spec, state)


def steps_done(spec: TrialSpec, state: TrialState) -> int:
    """How many steps have been decided. An attempt is a step of a campaign only."""
    attempts = 0 if spec.arms else len(state.story.ideas)
    return len({look.step for look in state.story.looks}) + attempts


def keys(arms: Iterable[str], slots: Iterable[str]) -> tuple[RunKey, ...]:
    names = tuple(slots)
    return tuple((arm, slot) for arm in arms for slot in names)


def arms_of(spec: TrialSpec, state: TrialState) -> tuple[str, ...]:
    """The treated arms: those of the plan, or the ideas that have become code."""
    return tuple(arm.name for arm in spec.arms) or tuple(idea.arm for idea in state.ideas_with_code)


def passed_arms(spec: TrialSpec, state: TrialState) -> tuple[str, ...]:
    return tuple(arm for arm in arms_of(spec, state) if state.has_passed(arm))


def number_of(spec: TrialSpec, state: TrialState, what: str) -> int:
    """The number of a step about all arms of a plan: the one that it was begun with, or a new one."""
    begun = next((look.step for look in state.of(what).values()), None) if spec.arms else None
    return begun or steps_done(spec, state) + 1


def checking_step(spec: TrialSpec, state: TrialState) -> TrialStep | None:
    """The run with the switch on and the one with it off; several, where equal runs differ."""
    arms = tuple(arm for arm in arms_of(spec, state) if arm not in state.of("checks"))
    if not arms:
        return None
    off = tuple(f"{arm}{OFF}" for arm in arms if spec.has_switch(arm))
    if state.is_deterministic:
        runs = (*keys(off, ["a1"]), *keys(arms, ["a1"]))
    else:
        runs = (*keys([CONTROL], REPEATED), *keys(off, ["a1", ONCE_MORE]), *keys(arms, ["a1"]))
    return TrialStep(number_of(spec, state, "checks"), "checks", arms, runs)


def screening_step(spec: TrialSpec, state: TrialState) -> TrialStep | None:
    """Every arm that passed its checks, on three seeds. Then another idea of a campaign is tried."""
    arms = tuple(arm for arm in passed_arms(spec, state) if arm not in state.of("screen"))
    if spec.screen and arms:
        return TrialStep(number_of(spec, state, "screen"), "screen", arms, keys(arms, SCREENING_SLOTS))
    return attempting_step(spec, state)


def attempting_step(spec: TrialSpec, state: TrialState) -> TrialStep | None:
    """Another idea of a campaign, or the repair of the last one if it failed a check."""
    if spec.arms or state.confirmations:
        return None
    count = len({arm.removesuffix(REPAIR) for arm in state.story.ideas})
    arm = repair_arm(state) or (f"idea{count + 1}" if count < spec.ideas else "")
    return TrialStep(steps_done(spec, state) + 1, "attempt", (arm,)) if arm else None


def repair_arm(state: TrialState) -> str:
    """The name for the repair of the last idea; empty if it failed no check, or is a repair itself."""
    last = next(iter(tuple(state.story.ideas)[-1:]), "")
    failed = last in state.of("checks") and not state.has_passed(last)
    return f"{last}{REPAIR}" if failed and not last.endswith(REPAIR) else ""


def comparing_step(spec: TrialSpec, state: TrialState) -> TrialStep | None:
    """The gate `cohens_d`: three runs with the switch on against three with it off, then five against five."""
    compared, number = state.of("compare"), steps_done(spec, state) + 1
    for arm in passed_arms(spec, state):
        found = compared[arm].compare if arm in compared else None
        if found is None or found.outcome is None:
            slots = COMPARED if found else SCREENING_SLOTS
            return TrialStep(number, "compare", (arm,), keys([f"{arm}{OFF}", arm], slots))
        if found.outcome == "PROCEED":
            return TrialStep(number, "verdict")
    return attempting_step(spec, state) or TrialStep(number, "verdict")


def chosen_arms(spec: TrialSpec, state: TrialState) -> tuple[str, ...]:
    """The arms that are confirmed: the best of the screened ones, or all with `screen: off`."""
    arms = passed_arms(spec, state)
    if not spec.screen:
        return arms
    best = survivor(look.screen for arm, look in state.of("screen").items() if look.screen and arm in arms)
    return (best.arm,) if best else ()


def confirming_step(spec: TrialSpec, state: TrialState) -> TrialStep:
    """The next look at the arms that have not been accepted yet; the verdict, if there is none."""
    number, looks = steps_done(spec, state) + 1, state.confirmations
    accepted = {result.arm for look in looks for result in look.looks if result.is_accepted}
    waiting = tuple(arm for arm in chosen_arms(spec, state) if arm not in accepted)
    if not waiting or len(looks) == len(spec.looks):
        return TrialStep(number, "verdict")
    slots = [f"b{count + 1}" for count in range(spec.looks[len(looks)].pairs)]
    return TrialStep(number, "confirm", waiting, keys([CONTROL, *waiting], slots))
