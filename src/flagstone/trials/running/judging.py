"""What each step decides: the lines that it adds to the ledger, from the runs that are in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from flagstone.errors import WorkFailed
from flagstone.plans import CONTROL, WORD_VALUES_FILE
from flagstone.statistics import Direction, deviation, mean
from flagstone.trials.deciding import (
    SCREENING_SLOTS,
    LookRule,
    compare_result,
    effect_in_units,
    is_deterministic,
    look_result,
    off_check,
    on_check,
    scale_check,
    scaled_runs,
    screen_result,
    sigma_check,
    size_check,
)
from flagstone.trials.lines import LookLine
from flagstone.trials.outcomes import CheckResult, RunOutcome
from flagstone.trials.running.opening import OpenedTrial
from flagstone.trials.running.state import TrialState
from flagstone.trials.running.steps import COMPARED, OFF, ONCE_MORE, REPEATED, TrialStep
from flagstone.trials.sealing import FAULT, BaselineFacts, looks_of, prereg_fault


@dataclass(frozen=True)
class StepJudge:
    """One step of a trial, with the state that all its runs are in."""

    opened: OpenedTrial
    state: TrialState
    step: TrialStep
    at: str

    def lines(self) -> Iterator[LookLine]:
        """The lines of the step that are not in the ledger yet."""
        make = {
            "baseline": self.baseline,
            "checks": self.checks,
            "screen": self.screens,
            "compare": self.compares,
            "confirm": self.confirmation,
        }
        return make[self.step.what]()

    @property
    def direction(self) -> Direction:
        return self.opened.spec.experiment.metric.direction

    def baseline(self) -> Iterator[LookLine]:
        if self.state.baseline:
            return  # a kill came before the pre-registration was sealed
        runs = self.state.control((*COMPARED, ONCE_MORE))
        failed = next((run for run in runs if run.value is None), None)
        if failed:
            log = self.opened.folder.run(CONTROL, failed.slot) / "run.log"
            raise WorkFailed(
                f"the baseline of trial {self.opened.plan.name} does not run: "
                f"{CONTROL}-{failed.slot} {failed.status}: {failed.reason}",
                hint=f"read {log}, and correct the project; without a baseline there is nothing to compare with",
            )
        values, again = [run.value for run in runs[:-1] if run.value is not None], runs[-1]
        sd = deviation(values)
        facts: dict[str, float | bool] = {
            "mean": mean(values),
            "sd": sd,
            "min": min(values),
            "max": max(values),
            "is_deterministic": is_deterministic(runs[0], again),
            "minimum_effect": effect_in_units(self.opened.spec.minimum_effect, sd),
        }
        yield LookLine(self.step.number, "baseline", self.at, CONTROL, self.names, facts=facts)

    def checks(self) -> Iterator[LookLine]:
        for arm in self.step.arms:
            checks = tuple(self.checks_of(arm))
            yield LookLine(self.step.number, "checks", self.at, arm, self.names, checks=checks, facts=self.faults)

    def checks_of(self, arm: str) -> Iterator[CheckResult]:
        spec, state = self.opened.spec, self.state
        slots = ("a1", ONCE_MORE) if state.is_deterministic else REPEATED
        control, treated = state.control(slots), state.outcome(arm, "a1")
        idea = state.story.ideas.get(arm)
        if idea and idea.lines:
            yield size_check(idea.lines, spec.largest_change)
        if spec.has_switch(arm):
            off = state.outcomes(f"{arm}{OFF}", ("a1",) if state.is_deterministic else ("a1", ONCE_MORE))
            yield sigma_check(state.control(COMPARED), off[0]) if spec.gate == "cohens_d" else off_check(control, off)
        yield on_check(control, treated, spec.experiment.metric.name, spec.observe)
        if spec.scale:
            arguments = self.arguments(CONTROL), self.arguments(arm)
            yield scale_check(spec.scale, {**arguments[0], **control[0].metrics}, {**arguments[1], **treated.metrics})

    def arguments(self, arm: str) -> Mapping[str, bool | int | float | str]:
        """The words of the command line that belong to the tree of an arm."""
        return dict(json.loads(self.opened.subject.files(self.opened.tree(arm)).get(WORD_VALUES_FILE, b"{}")))

    def screens(self) -> Iterator[LookLine]:
        for arm in self.step.arms:
            control = self.state.control(SCREENING_SLOTS)
            found = screen_result(arm, control, self.treated_runs(arm, control), self.direction)
            yield LookLine(self.step.number, "screen", self.at, arm, self.names, screen=found, facts=self.faults)

    def compares(self) -> Iterator[LookLine]:
        (arm,) = self.step.arms
        slots = tuple(slot for name, slot in self.step.runs if name == arm)
        control = self.state.outcomes(f"{arm}{OFF}", slots)
        found = compare_result(arm, control, self.treated_runs(arm, control), self.direction)
        yield LookLine(self.step.number, "compare", self.at, arm, self.names, compare=found, facts=self.faults)

    def confirmation(self) -> Iterator[LookLine]:
        spec, prereg, number = self.opened.spec, self.state.story.prereg, len(self.state.confirmations) + 1
        assert prereg is not None and self.state.baseline is not None
        first = self.state.confirmations[0].looks if self.state.confirmations else ()
        alpha = looks_of(spec.looks, prereg.number)[number - 1].alpha / (len(first) or len(self.step.arms))
        rule = LookRule(number, alpha, self.minimum_effect, self.direction)
        slots = tuple(slot for arm, slot in self.step.runs if arm == CONTROL)
        control = self.state.control(slots)
        looks = tuple(look_result(arm, control, self.treated_runs(arm, control), rule) for arm in self.step.arms)
        yield LookLine(self.step.number, "confirm", self.at, runs=self.names, looks=looks, facts=self.faults)

    def treated_runs(self, arm: str, control: Sequence[RunOutcome]) -> tuple[RunOutcome, ...]:
        """The runs of an arm on the slots of the control. None counts that had more compute."""
        return scaled_runs(control, self.state.outcomes(arm, [run.slot for run in control]), self.opened.spec.scale)

    @property
    def minimum_effect(self) -> float:
        """In units of the metric."""
        assert self.state.baseline is not None
        return float(self.state.baseline.facts["minimum_effect"] or 0.0)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{arm}-{slot}" for arm, slot in self.step.runs)

    @property
    def faults(self) -> Mapping[str, str]:
        """What was wrong with the pre-registration when the step was decided: mending it later does not help."""
        fault = prereg_fault(self.opened.folder, self.state.lines)
        return {FAULT: fault} if fault else {}


def baseline_facts(opened: OpenedTrial, state: TrialState) -> BaselineFacts:
    """What the pre-registration says of the baseline."""
    assert state.baseline is not None
    facts = state.baseline.facts
    return BaselineFacts(
        tree=opened.start.tree,
        n=len(COMPARED),
        mean=float(facts["mean"] or 0.0),
        sd=float(facts["sd"] or 0.0),
        is_deterministic=bool(facts["is_deterministic"]),
    )
