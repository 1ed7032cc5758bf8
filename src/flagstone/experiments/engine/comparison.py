"""A candidate beside the best: measured in turn, seed by seed, until it is known which one is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from flagstone.experiments.candidates import seed_for
from flagstone.experiments.deciding import (
    AFTER,
    ConstraintCheck,
    Judgement,
    Pairs,
    Reference,
    behind_text,
    broken_text,
    check,
    improvement,
    judge,
    largest_loss,
    varies,
)
from flagstone.experiments.ledger import Entry, Progress
from flagstone.experiments.measuring import Measurement
from flagstone.plans import MEASURED, NoiseRule, Spec
from flagstone.statistics import mean

SEEDS_TRIED = 2  # so many seeds for each repeat that is allowed, where the best fails on some
RUNS_UNCHECKED = 5  # simulated: so many runs may be compared with values of the best that may have drifted since

Measure = Callable[[str, str, int], Measurement]


@dataclass
class Comparison:
    """One candidate against the best of this moment. `made` is its line so far.

    Old values of the best count only if it gives the same value again on the same seed. Each test looks once whether it
    does. If it ever did not, or if what is measured is the run itself (its time, its memory), the best is measured
    beside the candidate in every pair.
    """

    spec: Spec
    progress: Progress  # with what is measured of the best here
    measure: Measure
    made: Entry
    measurements: list[Measurement] = field(default_factory=list)
    beside: list[Measurement] = field(default_factory=list)
    rows: list[tuple[int, float | None]] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    tried: int = 0  # seeds
    number: int = 0  # of the test, once it has begun
    is_checked: bool = False  # whether the best was measured again on a seed that it knew
    loss: float = 0.0  # by how much the candidate may be worse

    @cached_property
    def best(self) -> Entry:
        assert self.progress.best is not None
        return self.progress.best

    @property
    def is_exact(self) -> bool | None:
        return False if self.spec.metric.name in MEASURED else self.progress.is_exact

    @property
    def reference(self) -> Reference:
        return Reference(
            run=self.best.run_id,
            value=self.best.value or 0.0,
            known=self.progress.recent if self.is_exact is False else self.progress.known_values,
            is_noisy=self.spec.noise is not None and self.has_varied,
        )

    @property
    def has_varied(self) -> bool:
        runs = (*self.made.measurements, *self.measurements)
        return self.progress.has_varied or varies([each.value for each in runs if each.value is not None])

    def check_drift(self) -> Entry | None:
        """Measures the best again if that is long ago and may matter. Returns the line if that ends everything."""
        unchecked = self.made.number - self.progress.best_measured
        is_due = self.reference.is_noisy and self.is_exact is not True and unchecked > RUNS_UNCHECKED
        return self.measure_best(seed_for(self.spec.seed, 0)) if is_due else None

    def confirm(self, rule: NoiseRule) -> Entry:
        """A win where nothing varied so far, which a few equal numbers say too little about.

        It has to show again: beside the baseline as often as that would have been measured, had it varied, and later
        once. What varies then is tested.
        """
        wanted = rule.baseline_repeats - 1 if self.best.is_baseline else 1
        while self.tried < wanted and not self.has_varied:
            if end := self.measure_pair():
                return end
        return self.test(rule) if self.has_varied else self.line()

    def equal(self, rule: NoiseRule | None) -> Entry:
        """A win if the number is as good as that of the best: the same one, or if values vary, none that is worse."""
        best = self.reference
        if rule is None or not best.is_noisy:
            same = improvement(self.made.value or 0.0, best.value, self.spec.metric.direction) == 0
            if not same:
                return self.line(verdict="revert", reason=behind_text(best, self.spec.metric))
            return self.confirm(rule) if rule else self.line()
        self.loss = largest_loss(best.known, self.earlier_loss)
        return self.test(rule)

    @property
    def earlier_loss(self) -> float:
        """What equal numbers have lost since the last gain."""
        return float(self.best.judgement.get("lost", 0.0))

    def test(self, rule: NoiseRule) -> Entry:
        """Measures pairs until there is an answer. A test that was begun counts."""
        self.number, direction = self.progress.tests + 1, self.spec.metric.direction
        while self.tried < SEEDS_TRIED * rule.max_repeats:
            pairs = Pairs(self.ours, self.theirs, direction, self.loss)
            found = judge(pairs, self.number, rule, self.reference.known)
            if found.stance != "repeat":
                return self.answer(found)
            if end := self.measure_pair():
                return end
        return self.line(verdict="revert", reason="the best failed on too many seeds of this test")

    def measure_pair(self) -> Entry | None:
        """Measures the candidate, then the best. Returns the line if that ends the test before it has an answer."""
        self.tried += 1
        seed = seed_for(self.spec.seed, self.tried)
        known = self.progress.reference
        if seed in known and known[seed] is None:
            return None  # the best comes to nothing there: there is nothing to be paired with
        again = self.measure(self.made.tree, f"repeat-{self.tried}", seed)
        self.measurements.append(again)
        if again.status != "ok" or again.value is None:
            return failed_entry(self.line(), again)
        rows = checks_of(self.spec, again)
        if broken := broken_text(rows):
            return refused_entry(self.line(constraints=rows), f"{again.part}: {broken}")
        is_known = seed in known and self.is_exact is True and (self.is_checked or not self.has_varied)
        if not is_known and (end := self.measure_best(seed)):
            return end
        theirs = self.progress.reference[seed]
        if theirs is not None:
            self.ours.append(again.value)
            self.theirs.append(theirs)
        return None

    def measure_best(self, seed: int) -> Entry | None:
        found = self.measure(self.best.tree, f"best-{self.best.run_id}-{seed}", seed)
        if found.status == "unclean" or found.reason.startswith("tampered"):
            self.measurements.append(found)
            return failed_entry(self.line(), found)
        self.beside.append(found)
        self.rows.append((seed, found.value))
        self.is_checked = self.is_checked or self.progress.reference.get(seed) is not None
        self.progress = self.progress.with_best_again([(seed, found.value)], self.made.number)
        return None

    def line(self, **changes: Any) -> Entry:
        """The line with everything that was measured."""
        return replace(
            self.made,
            measurements=(*self.made.measurements, *self.measurements),
            beside=(*self.made.beside, *self.beside),
            reference=tuple(self.rows),
            judgement={"test": self.number, "pairs": len(self.ours)} if self.number else {},
            **changes,
        )

    def answer(self, found: Judgement) -> Entry:
        is_gain, best = found.stance == "accept", self.best.run_id
        words = (
            self.made.reason if is_gain else f"not shown to be {'as good as' if self.loss else 'better than'} {best}"
        )
        facts: dict[str, object] = {"gain": found.gain, "evidence": found.evidence, "reason": found.reason}
        if is_gain and self.loss:
            facts["lost"] = max(self.earlier_loss - found.gain, 0.0)
        if self.ours:
            facts |= {"against": best, "ours": mean(self.ours), "theirs": mean(self.theirs)}
        made = self.line(verdict="advance" if is_gain else "revert", reason=f"{words}: {found.reason}")
        return replace(made, judgement={**made.judgement, **facts})


def checks_of(spec: Spec, measured: Measurement) -> tuple[ConstraintCheck, ...]:
    return check(spec.constraints, {"wall_seconds": measured.wall_s, **measured.metrics})


def failed_entry(made: Entry, last: Measurement) -> Entry:
    """The line of a run without a number."""
    failed = replace(made, status=last.status, verdict=AFTER[last.status], reason=last.reason)
    return replace(failed, value=None, valid=False, constraints=())


def refused_entry(made: Entry, why: str) -> Entry:
    return replace(made, verdict="revert", valid=False, reason=why)
