"""From measurements to a verdict: constraints, guard, noise, the best of that moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flagstone.loop import noise
from flagstone.loop.candidate import Candidate
from flagstone.loop.entry import Measurement, Status, Verdict
from flagstone.loop.progress import Progress
from flagstone.loop.seeds import is_no_op, is_seed_only, seed_for
from flagstone.loop.spec import Spec

OUTCOMES: Mapping[Status, Verdict] = {
    "crash": "crash",
    "timeout": "timeout",
    "interrupted": "interrupted",
    "unclean": "crash",
    "violation": "invalid",
    "invalid": "revert",
}
Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Bench:
    """What judging may ask for: a repeat of the candidate or of the best on a seed, the guard, and files of a tree."""

    candidate_on: Callable[[str, int], Measurement]
    best_on: Callable[[int], Measurement]
    guard: Callable[[], str]
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
    reference: tuple[tuple[int, float], ...] = ()
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
    rows = checked(spec, first)
    broken = broken_words(rows) or bench.guard()
    values = [each.value for each in measurements if each.value is not None]
    mean = sum(values) / len(values)
    if broken:
        return Ruling("ok", "revert", broken, mean, False, rows, tuple(measurements))
    return Ruling("ok", "advance", spread_words(spec, values), mean, True, rows, tuple(measurements))


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
    rows = checked(spec, first)

    def revert(reason: str, valid: bool = True) -> Ruling:
        return Ruling("ok", "revert", reason, first.value, valid, rows, (first,))

    broken = broken_words(rows)
    if broken:
        return revert(broken, valid=False)
    if progress.best is None:
        fault = bench.guard()
        return revert(fault, valid=False) if fault else kept(spec, rows, first, "the first valid run")
    is_noisy = spec.noise is not None and noise.varies(progress.baseline)
    known = list(progress.reference.values()) or [progress.best_value or 0.0]
    if is_noisy and not noise.looks_better(first.value, known, spec.metric.direction):
        return revert(f"no better than the best ({progress.best_value:.6g})")
    if not is_noisy and not spec.metric.is_better(first.value, than=progress.best_value or 0.0):
        return revert(f"no better than the best ({progress.best_value:.6g})")
    same = unchanged_words(bench.files(candidate.parent_tree), bench.files(candidate.snapshot.tree))
    if same and spec.noise is not None:
        return revert(same)
    fault = bench.guard()
    if fault:
        return revert(fault, valid=False)
    if is_noisy:
        return repeated(spec, progress, first, rows, bench)
    return kept(spec, rows, first, old_parent_words(progress, candidate))


def kept(spec: Spec, rows: tuple[Mapping[str, Any], ...], first: Measurement, why: str) -> Ruling:
    return Ruling("ok", "advance", why, first.value, True, rows, (first,))


def old_parent_words(progress: Progress, candidate: Candidate) -> str:
    """A win on an older parent is one only because it beats the best of this moment, and says so."""
    if candidate.parent_run == progress.best_run:
        return f"better than {progress.best_run}"
    return f"better than {progress.best_run}, although it was edited from {candidate.parent_run}"


def repeated(
    spec: Spec, progress: Progress, first: Measurement, rows: tuple[Mapping[str, Any], ...], bench: Bench
) -> Ruling:
    """Fresh seeds, paired with the best on the same ones, until the test has an answer."""
    assert spec.noise is not None
    test, measurements = progress.tests + 1, [first]
    known, reference = dict(progress.reference), []
    values: list[float] = []
    best: list[float] = []
    while True:
        found = noise.judge(values, best, spec.metric.direction, test, spec.noise, list(known.values()))
        if found.stance != "repeat":
            break
        seed = seed_for(spec.seed, len(values) + 1)
        again = bench.candidate_on(f"repeat-{len(values) + 1}", seed)
        measurements.append(again)
        if again.status != "ok" or again.value is None:
            return failed(measurements)
        if seed not in known:
            paired = bench.best_on(seed)
            if paired.value is None:
                return failed([*measurements, paired]) if paired.status == "interrupted" else lost_best(measurements)
            known[seed] = paired.value
            reference.append((seed, paired.value))
        values.append(again.value)
        best.append(known[seed])
    told = {"test": test, "pairs": len(values), "gain": found.gain, "evidence": found.evidence, "reason": found.reason}
    is_gain = found.stance == "accept"
    return Ruling(
        status="ok",
        verdict="advance" if is_gain else "revert",
        reason=found.reason,
        value=sum(values) / len(values) if values else first.value,
        valid=True,
        constraints=rows,
        measurements=tuple(measurements),
        reference=tuple(reference),
        judgement=told,
    )


def lost_best(measurements: Sequence[Measurement]) -> Ruling:
    """The best itself failed on a seed: nothing can be compared there, so nothing is kept."""
    return Ruling(
        "ok", "revert", "the best failed on a seed of this test", measurements[0].value, True, (), tuple(measurements)
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
