"""From a candidate's first measurement to its line in the ledger; measures again where the verdict needs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from flagstone.experiments.candidates import Candidate, is_no_op, is_seed_only, seed_for
from flagstone.experiments.deciding import (
    AFTER,
    Check,
    Judgement,
    Pairs,
    Reference,
    behind_text,
    broken_text,
    check,
    conditions,
    end_reason,
    is_ahead,
    judge,
    varies,
)
from flagstone.experiments.engine.opening import OpenedExperiment
from flagstone.experiments.ledger import Entry, Progress
from flagstone.experiments.measuring import Measurement
from flagstone.plans import NoiseRule, Spec, run_id
from flagstone.records import utc
from flagstone.statistics import mean

SEEDS_TRIED = 2  # so many seeds for each repeat that is allowed, where the best fails on some


@dataclass(frozen=True)
class Judge:
    """One candidate before its verdict. `measure` runs a tree as a part on a seed; `guard` runs the guard, if any."""

    opened: OpenedExperiment
    progress: Progress
    candidate: Candidate
    measure: Callable[[str, str, int], Measurement]
    guard: Callable[[], Measurement | None]

    @property
    def spec(self) -> Spec:
        return self.opened.spec

    def entry(self, first: Measurement | None) -> Entry:
        """The line of this candidate, as the ledger will hold it."""
        made, violations = self.blank(), self.candidate.snapshot.violations
        if violations:
            made = replace(made, status="violation", verdict="invalid", reason="; ".join(violations[:10]))
        elif first is None:
            made = replace(made, reason=self.candidate.fault)
        else:
            made = self.later(made, first) if self.candidate.parent_run else self.baseline(made, first)
        return self.complete(made)

    def blank(self) -> Entry:
        """The line before anything was measured: nothing has changed."""
        candidate, before = self.candidate, self.progress
        return Entry(
            number=candidate.number,
            run_id=run_id(candidate.number),
            parent_run=candidate.parent_run,
            tree=candidate.snapshot.tree,
            commit=candidate.snapshot.commit,
            note=candidate.note,
            status="invalid",
            verdict="revert",
            reason="",
            value=None,
            valid=False,
            improved=False,
            previous_best=before.best_run,
            best_run=before.best_run,
            best_value=before.best_value,
            proposal=dict(candidate.facts),
            contract=self.opened.start["contract"],
        )

    def complete(self, entry: Entry) -> Entry:
        """The line with the best after it, and whether the experiment ends here."""
        entry = replace(entry, ended_at=utc(time.time()))
        if entry.verdict == "advance":
            entry = replace(entry, improved=True, best_run=entry.run_id, best_value=entry.value)
        now, spec = self.progress.after(entry), self.spec
        reason = end_reason(conditions(spec.stopping, spec.metric, now.typical_value, now.amounts))
        reason = "manual" if entry.status == "interrupted" else reason
        return replace(entry, should_terminate=bool(reason), terminated_by=reason)

    def baseline(self, made: Entry, first: Measurement) -> Entry:
        """The first run: the unedited files, measured as often as the spec asks. It becomes the best in any case.

        Two equal values are enough: whatever gives the same number on two seeds is taken to have no noise.
        """
        spec, tree = self.spec, self.candidate.snapshot.tree
        measurements = [first]
        wanted = spec.noise.baseline_repeats if spec.noise else 1
        while measurements[-1].status == "ok" and len(measurements) < wanted and not are_equal(measurements):
            count = len(measurements)
            measurements.append(self.measure(tree, f"repeat-{count}", seed_for(spec.seed, count)))
        made = replace(made, measurements=tuple(measurements))
        if measurements[-1].status != "ok":
            return failed_entry(made, measurements[-1])
        values = [each.value for each in measurements if each.value is not None]
        every = [self.checks(each) for each in measurements]
        rows = next(filter(broken_text, every), every[0])
        made = replace(made, status="ok", value=values[0], valid=True, constraints=rows)
        if broken := broken_text(rows):
            return refused(made, broken)
        return self.win(made, baseline_text(spec, values))

    def later(self, made: Entry, first: Measurement) -> Entry:
        """Any later run, against the best of this moment."""
        made = replace(made, measurements=(first,))
        if first.status != "ok" or first.value is None:
            return failed_entry(made, first)
        spec, best = self.spec, self.progress.best
        made = replace(made, status="ok", value=first.value, valid=True, constraints=self.checks(first))
        if broken := broken_text(made.constraints):
            return refused(made, broken)
        if best is None:
            return self.win(made, "the first valid run")
        reference = Reference(
            run=best.run_id,
            value=best.value or 0.0,
            on_seeds=self.progress.reference,
            is_noisy=spec.noise is not None and varies(self.progress.baseline),
        )
        if not is_ahead(first.value, reference, spec.metric):
            return replace(made, reason=behind_text(reference, spec.metric))
        if spec.noise and (same := self.unchanged_text()):
            return replace(made, reason=same)
        made = self.win(made, self.win_text(f" ({reference.value:.6g})" if not reference.is_noisy else ""))
        if not (reference.is_noisy and spec.noise and made.verdict == "advance"):
            return made
        return PairedTest(self, made, dict(reference.on_seeds), self.progress.tests + 1).entry(spec.noise)

    def checks(self, measured: Measurement) -> tuple[Check, ...]:
        return check(self.spec.constraints, {"wall_seconds": measured.wall_s, **measured.metrics})

    def win(self, made: Entry, why: str) -> Entry:
        """The line with a win, unless the guard does not let the candidate pass."""
        made, found = replace(made, verdict="advance", reason=why), self.guard()
        if found is None:
            return made
        made = replace(made, beside=(*made.beside, found))
        return refused(made, found.reason) if found.reason else made

    def unchanged_text(self) -> str:
        """Why an edit cannot be a gain, whatever the number says."""
        files = self.opened.subject.files
        before, after = files(self.candidate.parent_tree), files(self.candidate.snapshot.tree)
        if is_no_op(before, after):
            return "nothing but comments or the note was changed: no gain"
        return "nothing but a seed was changed: no gain" if is_seed_only(before, after) else ""

    def win_text(self, value: str = "") -> str:
        """A win on an older parent is one only because it beats the best of this moment, and says so."""
        best, parent = self.progress.best_run, self.candidate.parent_run
        return f"better than {best}{value}" + ("" if parent == best else f", although it was edited from {parent}")


def are_equal(measurements: list[Measurement]) -> bool:
    """Whether there are several measurements, and all gave one number."""
    values = [each.value for each in measurements if each.value is not None]
    return len(values) > 1 and not varies(values)


def baseline_text(spec: Spec, values: list[float]) -> str:
    if spec.noise is None:
        return "baseline"
    if not varies(values):
        return f"baseline: {len(values)} runs gave the same value"
    return f"baseline: {len(values)} runs between {min(values):.6g} and {max(values):.6g}"


def failed_entry(made: Entry, last: Measurement) -> Entry:
    """The line of a run that came to no number."""
    failed = replace(made, status=last.status, verdict=AFTER[last.status], reason=last.reason)
    return replace(failed, value=None, valid=False, constraints=())


def refused(made: Entry, why: str) -> Entry:
    return replace(made, verdict="revert", valid=False, reason=why)


@dataclass
class PairedTest:
    """A candidate measured again, seed by seed beside the best, until there is an answer.

    `known` is what the best came to on each seed so far. What is measured here is kept in order.
    """

    judge: Judge
    made: Entry
    known: dict[int, float | None]
    number: int
    measurements: list[Measurement] = field(default_factory=list)
    beside: list[Measurement] = field(default_factory=list)
    reference: list[tuple[int, float | None]] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    def entry(self, rule: NoiseRule) -> Entry:
        direction = self.judge.spec.metric.direction
        for index in range(1, SEEDS_TRIED * rule.max_repeats + 1):
            known = [value for value in self.known.values() if value is not None]
            found = judge(Pairs(self.ours, self.theirs, direction), self.number, rule, known)
            if found.stance != "repeat":
                return self.finished(found)
            if end := self.measure(index):
                return end
        return self.unfinished("the best failed on too many seeds of this test")

    def measure(self, index: int) -> Entry | None:
        """Measures one more pair. Returns the line if that ends the test before it has an answer."""
        own, seed = self.judge, seed_for(self.judge.spec.seed, index)
        if seed in self.known and self.known[seed] is None:
            return None  # the best comes to nothing there: there is nothing to be paired with
        again = own.measure(self.made.tree, f"repeat-{index}", seed)
        self.measurements.append(again)
        if again.status != "ok" or again.value is None:
            return failed_entry(self.unfinished(), again)
        rows = own.checks(again)
        if broken := broken_text(rows):
            return refused(replace(self.unfinished(), constraints=rows), f"{again.part}: {broken}")
        if seed not in self.known and (end := self.measure_best(seed)):
            return end
        theirs = self.known[seed]
        if theirs is not None:
            self.ours.append(again.value)
            self.theirs.append(theirs)
        return None

    def measure_best(self, seed: int) -> Entry | None:
        """The best on a seed on which it was never measured."""
        best = self.judge.progress.best
        assert best is not None
        found = self.judge.measure(best.tree, f"best-{best.run_id}-{seed}", seed)
        if found.status == "unclean" or found.reason.startswith("tampered"):
            self.measurements.append(found)
            return failed_entry(self.unfinished(), found)
        self.beside.append(found)
        self.known[seed] = found.value
        self.reference.append((seed, found.value))
        return None

    def unfinished(self, reason: str = "") -> Entry:
        """No gain, but with everything that was measured: a test that was begun counts."""
        return replace(
            self.made,
            verdict="revert",
            reason=reason,
            measurements=(*self.made.measurements, *self.measurements),
            beside=(*self.made.beside, *self.beside),
            reference=tuple(self.reference),
            judgement={"test": self.number, "pairs": len(self.ours)},
        )

    def finished(self, found: Judgement) -> Entry:
        is_gain, best = found.stance == "accept", self.judge.progress.best_run
        words = self.judge.win_text() if is_gain else f"not shown to be better than {best}"
        made = self.unfinished(f"{words}: {found.reason}")
        facts: dict[str, object] = {"gain": found.gain, "evidence": found.evidence, "reason": found.reason}
        if self.ours:
            facts |= {"against": best, "ours": mean(self.ours), "theirs": mean(self.theirs)}
        return replace(made, verdict="advance" if is_gain else "revert", judgement={**made.judgement, **facts})
