"""From a candidate's first measurement to its line in the ledger; measures again where the verdict needs it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from flagstone.experiments.candidates import Candidate, is_no_op, is_seed_only, seed_for
from flagstone.experiments.deciding import (
    BY_PERSON,
    behind_text,
    broken_text,
    constant_text,
    huge_text,
    is_ahead,
    shorter_text,
    standing_flags,
    suspicious_flags,
    touched_text,
    varies,
)
from flagstone.experiments.engine.comparison import Comparison, Measure, checks_of, failed_entry, refused_entry
from flagstone.experiments.engine.opening import OpenedExperiment
from flagstone.experiments.ledger import Entry, Progress
from flagstone.experiments.measuring import CheckName, Measurement, failure_text
from flagstone.plans import Spec, StepSpec, run_id
from flagstone.records import utc


@dataclass(frozen=True)
class Judge:
    """One candidate before its verdict.

    `measure` runs a tree as a part on a seed. `check` runs the guard or the hidden check.
    """

    opened: OpenedExperiment
    progress: Progress
    candidate: Candidate
    measure: Measure
    check: Callable[[CheckName], tuple[Measurement, ...]]

    @property
    def spec(self) -> Spec:
        return self.opened.spec

    def entry(self, first: Measurement | None) -> Entry:
        """The line of this candidate, as the ledger will hold it."""
        made, violations = self.blank_entry(), self.candidate.snapshot.violations
        if violations:
            made = replace(made, status="violation", verdict="invalid", reason="; ".join(violations[:10]))
        elif first is None:
            made = replace(made, reason=self.candidate.fault)
        else:
            made = self.later(made, first) if self.candidate.parent_run else self.baseline(made, first)
        return self.complete(made)

    def blank_entry(self) -> Entry:
        """The ledger line of a run before its measurement: not valid, no gain, the same best as before."""
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
        entry = replace(entry, ended_at=utc(time.time()), flags=self.flags(entry))
        if entry.verdict == "advance":
            entry = replace(entry, improved=True, best_run=entry.run_id, best_value=entry.value)
        reason = self.progress.after(entry).reason_to_end(self.spec)
        reason = "manual" if entry.status == "interrupted" and entry.reason == BY_PERSON else reason
        return replace(entry, should_terminate=bool(reason), terminated_by=reason)

    def flags(self, entry: Entry) -> tuple[str, ...]:
        """What a reader has to know beside the number; what is suspicious only if it may be kept."""
        if entry.value is None:
            return ()
        spec, before = self.spec, self.progress
        found = standing_flags(spec, has_varied=before.after(entry).has_varied)
        if entry.is_baseline or not (entry.verdict == "advance" or entry.judgement):
            return found
        files, ours = self.opened.subject.files, [each.value for each in entry.measurements if each.value is not None]
        reasons = (
            constant_text(ours) if varies(before.baseline) else "",
            touched_text(files(self.candidate.base_tree), files(entry.tree), spec.metric.name),
            huge_text(float(entry.judgement.get("gain", 0.0)), before.baseline),
        )
        return (*found, *suspicious_flags(reasons))

    def baseline(self, made: Entry, first: Measurement) -> Entry:
        """The first run: the unedited files, measured as often as the spec asks. It becomes the best in any case.

        Two runs that report the same numbers on two seeds are enough: no noise. If only the metric is the same,
        it may be a coarse one, such as an accuracy on few samples.
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
        every = [checks_of(spec, each) for each in measurements]
        rows = next(filter(broken_text, every), every[0])
        made = replace(made, status="ok", value=values[0], valid=True, constraints=rows)
        if broken := broken_text(rows):
            return refused_entry(made, broken)
        return self.win(made, baseline_text(spec, values))

    def later(self, made: Entry, first: Measurement) -> Entry:
        """Any later run, against the best of this moment."""
        made = replace(made, measurements=(first,))
        if first.status != "ok" or first.value is None:
            return failed_entry(made, first)
        made = replace(made, status="ok", value=first.value, valid=True, constraints=checks_of(self.spec, first))
        if broken := broken_text(made.constraints):
            return refused_entry(made, broken)
        if self.progress.best is None:
            return self.win(made, "the first valid run")
        return self.compare(made, first.value)

    def compare(self, made: Entry, value: float) -> Entry:
        """A run with a number, after its comparison with the best."""
        spec, beside = self.spec, Comparison(self.spec, self.progress, self.measure, made)
        if end := beside.check_drift():
            return end
        best = beside.reference
        if not is_ahead(value, best, spec.metric):
            return self.shorter(beside) or beside.line(reason=behind_text(best, spec.metric))
        if (spec.noise or made.reworks) and (same := self.unchanged_text()):
            return beside.line(reason=same)
        why = self.win_text("" if best.is_noisy else f" ({best.value:.6g})")
        beside.made = replace(made, verdict="advance", reason=why)
        if spec.noise is None:
            found = beside.line()
        else:
            found = beside.test(spec.noise) if best.is_noisy else beside.confirm(spec.noise)
        if found.verdict == "advance":
            return self.win(found, found.reason)
        return (self.shorter(beside) if found.valid else None) or found

    def shorter(self, beside: Comparison) -> Entry | None:
        """A run with fewer lines, kept if its number is as good as that of the best. None if that is not asked."""
        if self.spec.simplicity == "off" or self.unchanged_text():
            return None
        files, best = self.opened.subject.files, beside.best
        less = shorter_text(files(best.tree), files(self.candidate.snapshot.tree))
        if not less:
            return None
        beside.made = replace(beside.made, verdict="advance", reason=f"as good as {best.run_id}, {less}")
        found = beside.equal(self.spec.noise)
        return self.win(found, found.reason) if found.verdict == "advance" else found

    def win(self, made: Entry, why: str) -> Entry:
        """The line with a win, unless the guard or the hidden check refuses the candidate."""
        steps: dict[CheckName, StepSpec | None] = {"guard": self.spec.guard, "hidden": self.spec.hidden}
        for name, step in steps.items():
            tries = self.check(name) if step else ()
            made = replace(made, beside=(*made.beside, *tries))
            if step and (failure := failure_text(step, tries)):
                # proposers read the reason, and may not learn what the hidden check found
                reason = failure if name == "guard" else "hidden check"
                return replace(refused_entry(made, reason), refused_by=name)
        return replace(made, verdict="advance", reason=why)

    def unchanged_text(self) -> str:
        """Why an edit cannot be a gain, whatever the number says."""
        files = self.opened.subject.files
        before, after = files(self.candidate.base_tree), files(self.candidate.snapshot.tree)
        if is_no_op(before, after):
            return "nothing but comments or the note was changed: no gain"
        if self.candidate.facts.get("rework") and is_no_op(files(self.candidate.parent_tree), after):
            return f"nothing but comments or the note was changed since the guard refused {self.candidate.parent_run}"
        return "nothing but a seed was changed: no gain" if is_seed_only(before, after) else ""

    def win_text(self, value: str = "") -> str:
        """A win on an older parent is one only because it beats the best of this moment, and says so."""
        best, parent = self.progress.best_run, self.candidate.base_run
        return f"better than {best}{value}" + ("" if parent == best else f", although it was edited from {parent}")


def are_equal(measurements: list[Measurement]) -> bool:
    """Whether there are several measurements, and all reported the same numbers."""
    values = [each.value for each in measurements if each.value is not None]
    return len(values) > 1 and not varies(values) and len({each.others for each in measurements}) == 1


def baseline_text(spec: Spec, values: list[float]) -> str:
    if spec.noise is None:
        return "baseline"
    if not varies(values):
        return f"baseline: {len(values)} runs gave the same value"
    return f"baseline: {len(values)} runs between {min(values):.6g} and {max(values):.6g}"
