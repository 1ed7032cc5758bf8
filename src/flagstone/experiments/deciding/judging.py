"""From measurements to a verdict: constraints, guard, noise, the best of that moment."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flagstone.experiments.candidates import Candidate, is_no_op, is_seed_only, seed_for
from flagstone.experiments.deciding import noise
from flagstone.experiments.deciding.stopping import terminated_by
from flagstone.experiments.engine import Opened
from flagstone.experiments.ledger import Entry, Progress, Verdict
from flagstone.experiments.measuring import Measurement, Status
from flagstone.plans import NoiseRule, Spec, run_id
from flagstone.records import utc

OUTCOMES: Mapping[Status, Verdict] = {
    "crash": "crash",
    "timeout": "timeout",
    "interrupted": "interrupted",
    "unclean": "crash",
    "violation": "invalid",
    "invalid": "revert",
}
Files = Mapping[str, bytes]
SEEDS_TRIED = 2  # so many seeds for each repeat that is allowed, where the best fails on some


@dataclass(frozen=True)
class Bench:
    """What judging may ask for: a repeat of the candidate or of the best on a seed, the guard, and files of a tree."""

    candidate_on: Callable[[str, int], Measurement]
    best_on: Callable[[int], Measurement]
    guard: Callable[[], Measurement | None]
    files: Callable[[str], Files]


@dataclass(frozen=True)
class Ruling:
    """The verdict, why, and everything it rests on."""

    status: Status
    verdict: Verdict
    reason: str
    value: float | None = None
    valid: bool = False
    constraints: tuple[Mapping[str, Any], ...] = ()
    measurements: tuple[Measurement, ...] = ()
    reference: tuple[tuple[int, float | None], ...] = ()
    beside: tuple[Measurement, ...] = ()
    judgement: Mapping[str, Any] = field(default_factory=dict)


def failed(measurements: Sequence[Measurement]) -> Ruling:
    """The ruling of a run that did not come to a number."""
    last = measurements[-1]
    return Ruling(last.status, OUTCOMES[last.status], last.reason, measurements=tuple(measurements))


def rule_on_baseline(spec: Spec, first: Measurement, bench: Bench) -> Ruling:
    """The first run: the unedited files, measured as often as the spec asks. It becomes the best, whatever it is."""
    measurements = [first]
    while measurements[-1].status == "ok" and spec.noise and len(measurements) < spec.noise.baseline_repeats:
        count = len(measurements)
        measurements.append(bench.candidate_on(f"repeat-{count}", seed_for(spec.seed, count)))
    if measurements[-1].status != "ok":
        return failed(measurements)
    values = [each.value for each in measurements if each.value is not None]
    rows = next(filter(None, (broken_rows(spec, each) for each in measurements)), checked(spec, first))
    ruling = Ruling(
        "ok", "advance", spread_words(spec, values), sum(values) / len(values), True, rows, (*measurements,)
    )
    broken = broken_words(rows)
    return refused(ruling, broken) if broken else guarded(bench, ruling)


def guarded(bench: Bench, ruling: Ruling) -> Ruling:
    """The ruling, unless the guard does not let the candidate pass."""
    found = bench.guard()
    if found is None:
        return ruling
    ruling = replace(ruling, beside=(*ruling.beside, found))
    return refused(ruling, found.reason) if found.reason else ruling


def refused(ruling: Ruling, why: str) -> Ruling:
    return replace(ruling, verdict="revert", valid=False, reason=why)


def spread_words(spec: Spec, values: Sequence[float]) -> str:
    if spec.noise is None:
        return "baseline"
    if not noise.varies(values):
        return f"baseline: {len(values)} runs gave the same value"
    return f"baseline: {len(values)} runs between {min(values):.6g} and {max(values):.6g}"


def rule_on(spec: Spec, progress: Progress, candidate: Candidate, first: Measurement, bench: Bench) -> Ruling:
    """Any later run, against the best of this moment."""
    if first.status != "ok" or first.value is None:
        return failed([first])
    ruling = Ruling("ok", "revert", "", first.value, True, checked(spec, first), (first,))
    if broken := broken_words(ruling.constraints):
        return refused(ruling, broken)
    if progress.best is None:
        return guarded(bench, kept(ruling, "the first valid run"))
    is_noisy = spec.noise is not None and noise.varies(progress.baseline)
    known = list(numbers(progress.reference)) or [progress.best_value or 0.0]
    looks_better = (
        noise.looks_better(first.value, known, spec.metric.direction)
        if is_noisy
        else spec.metric.is_better(first.value, than=progress.best_value or 0.0)
    )
    if not looks_better:
        return replace(ruling, reason=f"no better than the best ({progress.best_value:.6g})")
    same = unchanged_words(bench.files(candidate.parent_tree), bench.files(candidate.snapshot.tree))
    if same and spec.noise is not None:
        return replace(ruling, reason=same)
    ruling = guarded(bench, kept(ruling, old_parent_words(progress, candidate)))
    return repeated(spec, progress, ruling, bench) if is_noisy and ruling.verdict == "advance" else ruling


def numbers(reference: Mapping[int, float | None]) -> Iterator[float]:
    return (value for value in reference.values() if value is not None)


def kept(ruling: Ruling, why: str) -> Ruling:
    return replace(ruling, verdict="advance", reason=why)


def old_parent_words(progress: Progress, candidate: Candidate) -> str:
    """A win on an older parent is one only because it beats the best of this moment, and says so."""
    if candidate.parent_run == progress.best_run:
        return f"better than {progress.best_run}"
    return f"better than {progress.best_run}, although it was edited from {candidate.parent_run}"


def repeated(spec: Spec, progress: Progress, ruling: Ruling, bench: Bench) -> Ruling:
    """Fresh seeds, paired with the best on the same ones, until the test has an answer."""
    assert spec.noise is not None
    pairs, rule = Pairs(spec, bench, ruling, progress.tests + 1, dict(progress.reference)), spec.noise
    for index in range(1, SEEDS_TRIED * rule.max_repeats + 1):
        found = pairs.judged(rule)
        if found.stance != "repeat":
            return pairs.answered(found)
        end = pairs.measure(index)
        if end is not None:
            return end
    return pairs.so_far("the best failed on too many seeds of this test")


@dataclass
class Pairs:
    """One test under way. `known` is what the best came to on each seed; what is measured here is kept in order."""

    spec: Spec
    bench: Bench
    ruling: Ruling
    test: int
    known: dict[int, float | None]
    measurements: list[Measurement] = field(default_factory=list)
    beside: list[Measurement] = field(default_factory=list)
    reference: list[tuple[int, float | None]] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    def judged(self, rule: NoiseRule) -> noise.Judgement:
        direction, spread = self.spec.metric.direction, [*numbers(self.known)]
        return noise.judge(self.ours, self.theirs, direction, self.test, rule, spread)

    def measure(self, index: int) -> Ruling | None:
        """One more pair; the ruling, where that ends the test before it has an answer."""
        seed = seed_for(self.spec.seed, index)
        if seed in self.known and self.known[seed] is None:
            return None  # the best comes to nothing there: there is nothing to be paired with
        again = self.bench.candidate_on(f"repeat-{index}", seed)
        self.measurements.append(again)
        if again.status != "ok" or again.value is None:
            return self.failed()
        if rows := broken_rows(self.spec, again):
            return refused(replace(self.so_far(), constraints=rows), f"{again.part}: {broken_words(rows)}")
        if seed not in self.known:
            paired = self.bench.best_on(seed)
            if paired.status == "unclean" or paired.reason.startswith("tampered"):
                self.measurements.append(paired)
                return self.failed()
            self.beside.append(paired)
            self.known[seed] = paired.value
            self.reference.append((seed, paired.value))
        theirs = self.known[seed]
        if theirs is not None:
            self.ours.append(again.value)
            self.theirs.append(theirs)
        return None

    def so_far(self, reason: str = "") -> Ruling:
        """No gain, and what was spent is told all the same: a test that was begun counts."""
        return replace(
            self.ruling,
            verdict="revert",
            reason=reason,
            measurements=(*self.ruling.measurements, *self.measurements),
            beside=(*self.ruling.beside, *self.beside),
            reference=tuple(self.reference),
            judgement={"test": self.test, "pairs": len(self.ours)},
        )

    def failed(self) -> Ruling:
        last = self.measurements[-1]
        ended = replace(self.so_far(last.reason), status=last.status, verdict=OUTCOMES[last.status])
        return replace(ended, value=None, valid=False, constraints=())

    def answered(self, found: noise.Judgement) -> Ruling:
        told = {"gain": found.gain, "evidence": found.evidence, "reason": found.reason}
        made = self.so_far(found.reason)
        return replace(
            made,
            verdict="advance" if found.stance == "accept" else "revert",
            value=sum(self.ours) / len(self.ours) if self.ours else made.value,
            judgement={**made.judgement, **told},
        )


def checked(spec: Spec, measured: Measurement) -> tuple[Mapping[str, Any], ...]:
    """Each constraint with the value it was held against."""
    aliases = {"wall_seconds": measured.wall_s}
    rows = []
    for each in spec.constraints:
        value = measured.metrics.get(each.name, aliases.get(each.name))
        row = {"name": each.name, "op": each.op, "threshold": each.threshold, "value": value}
        rows.append({**row, "passed": each.holds(value)})
    return tuple(rows)


def broken_rows(spec: Spec, measured: Measurement) -> tuple[Mapping[str, Any], ...]:
    """The constraints with their values, where one of them does not hold."""
    rows = checked(spec, measured)
    return rows if broken_words(rows) else ()


def broken_words(rows: Sequence[Mapping[str, Any]]) -> str:
    broken = [
        f"{row['name']} {row['op']} {row['threshold']:g} does not hold: "
        + ("it is unknown" if row["value"] is None else f"it is {row['value']:g}")
        for row in rows
        if not row["passed"]
    ]
    return "; ".join(broken)


def unchanged_words(before: Files, after: Files) -> str:
    """Why an edit cannot be a gain, whatever the number says."""
    if is_no_op(before, after):
        return "nothing but comments or the note was changed: no gain"
    return "nothing but a seed was changed: no gain" if is_seed_only(before, after) else ""


def entry_of(opened: Opened, before: Progress, candidate: Candidate, ruling: Ruling) -> Entry:
    """The line of one run, as the ledger will hold it."""
    is_better = ruling.verdict == "advance"
    made = Entry(
        number=candidate.number,
        run_id=run_id(candidate.number),
        parent_run=candidate.parent_run,
        tree=candidate.snapshot.tree,
        commit=candidate.snapshot.commit,
        note=candidate.note,
        status=ruling.status,
        verdict=ruling.verdict,
        reason=ruling.reason,
        value=ruling.value,
        valid=ruling.valid,
        improved=is_better,
        previous_best=before.best_run,
        best_run=run_id(candidate.number) if is_better else before.best_run,
        best_value=ruling.value if is_better else before.best_value,
        constraints=ruling.constraints,
        measurements=ruling.measurements,
        reference=ruling.reference,
        beside=ruling.beside,
        judgement=ruling.judgement,
        proposal=dict(candidate.facts),
        contract=opened.start["contract"],
        ended_at=utc(time.time()),
    )
    ended = terminated_by(opened.spec.stopping, opened.spec.metric, before.after(made))
    return replace(made, should_terminate=bool(ended), terminated_by=ended)
