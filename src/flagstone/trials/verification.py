"""Whether a trial is what it says: everything is derived again from its ledger and its records, and compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import isclose, isnan
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.experiments.measuring import Measurement
from flagstone.metrics import Place, read_metrics
from flagstone.plans import RunFolder, TrialPlan
from flagstone.records import Ledger, plain_value, read_as, read_record
from flagstone.text import list_text
from flagstone.trials.lines import Line, LookLine, PreregLine, RunLine, VerdictLine
from flagstone.trials.reporting import NOT_DERIVED, derived_problems
from flagstone.trials.running import (
    OpenedTrial,
    RunRecord,
    StepJudge,
    TrialState,
    TrialStep,
    finite_metrics,
    next_step,
    open_trial,
    status_of,
    verdict_line,
)
from flagstone.trials.sealing import (
    FAULT,
    Prereg,
    SealedSeeds,
    basis_of,
    edit_text,
    prereg_problems,
    sealed_seeds,
)
from flagstone.trials.story import lines_in


def trial_problems(plan: TrialPlan, schemas: Path) -> list[str]:
    """Everything about a trial that does not follow from its ledger and its records, in words. Empty if all does."""
    folder = plan.folder
    found = Ledger(folder.ledger).rewritten_lines()
    try:
        lines = tuple(lines_in(folder.ledger))
        if any(isinstance(line, PreregLine) for line in lines):
            found += filter(None, [edit_text(folder, lines)])
        proof = Proof(open_trial(plan, schemas), lines)
        found += [*proof.problems(), *derived_problems(folder, proof.opened.spec)]
    except FlagstoneError as error:
        found.append(error.problem)
    return list(dict.fromkeys(found))


def trial_fault(plan: TrialPlan, schemas: Path) -> str:
    """Why the verdict of a trial is not what was recorded, in one line. Returns '' if it is.

    Pages and pictures are left out: another version of Flagstone words and draws the same numbers in another way.
    """
    pages = tuple(f"{ending} {NOT_DERIVED}" for ending in (".md", ".html", ".svg"))
    return list_text([problem for problem in trial_problems(plan, schemas) if not problem.endswith(pages)], 2)


@dataclass(frozen=True)
class Proof:
    """One trial, line by line: each has to follow from those before it."""

    opened: OpenedTrial
    lines: tuple[Line, ...]

    def problems(self) -> Iterator[str]:
        yield from prereg_problems(self.opened.folder, self.opened.spec, self.lines)
        for number, line in enumerate(self.lines):
            before = TrialState(self.lines[:number])
            if isinstance(line, LookLine):
                yield from self.look_problems(line, before)
            elif isinstance(line, VerdictLine):
                yield from self.verdict_problems(line, before)
        for run in TrialState(self.lines).story.runs.values():
            yield from self.run_problems(run)

    def look_problems(self, line: LookLine, before: TrialState) -> Iterator[str]:
        """A look has to be the one that was due, and to come to the same from the same runs."""
        title = f"look {line.step} ({line.what}{f' of {line.arm}' if line.arm else ''})"
        due = next_step(self.opened.spec, before)
        if (due.number, due.what) != (line.step, line.what) or not set(due.runs) <= set(keys_in(line)):
            yield f"{title} was not due: look {due.number} ({due.what}) was"
            return
        arms = (line.arm,) if line.arm else tuple(each.arm for each in line.looks)
        judge = StepJudge(self.opened, before, TrialStep(line.step, line.what, arms, keys_in(line)), line.at)
        try:
            derived = [*judge.lines()]
        except (KeyError, ValueError, FlagstoneError):
            yield f"{title} names runs that are not in the ledger, or failed"
            return
        difference = difference_in(without_fault(line), without_fault(derived[0])) if derived else "it decides nothing"
        if difference:
            yield f"{title} does not follow from its runs: {difference}"

    def verdict_problems(self, line: VerdictLine, before: TrialState) -> Iterator[str]:
        due = next_step(self.opened.spec, before)
        if due.what != "verdict":
            yield f"the verdict came before look {due.number} ({due.what})"
            return
        difference = difference_in(line, verdict_line(StepJudge(self.opened, before, due, line.at)))
        if difference:
            yield f"the verdict does not follow from the looks: {difference}"
        done = read_record(self.opened.folder.done)
        if done and (done.get("outcome"), done.get("exploratory")) != (str(line.outcome), line.exploratory):
            yield f"{self.opened.folder.done.name} has another outcome than the verdict"

    def run_problems(self, line: RunLine) -> Iterator[str]:
        """A run line has to be what the record says, and the record what was measured, on the seed of its slot."""
        folder, name = self.opened.folder, f"{line.arm}-{line.slot}"
        record = read_as(folder.record(line.arm, line.slot), RunRecord)
        if record is None:
            yield f"the record of {name} is missing or cannot be read"
        elif difference := difference_in(line, record.line):
            yield f"the record of {name} is not what the ledger says: {difference}"
        if line.basis not in ("", self.basis(line)):
            yield f"{name} ran with another tree, command, seed, data or environment than this trial asks for"
        sealed = folder.sealed_run(line.arm, line.slot)
        own = sealed if sealed.is_dir() else folder.run(line.arm, line.slot)
        yield from self.measurement_problems(line, RunFolder(own))

    def measurement_problems(self, line: RunLine, run: RunFolder) -> Iterator[str]:
        name, found = run.root.name, read_as(run.measurement_file("first"), Measurement)
        if found is None:
            yield f"the measurement of {name} is missing or cannot be read"
            return
        if found.seed != self.seed(line.slot):
            yield f"{name} was measured on another seed than that of its slot"
        status, _ = status_of(found, self.opened.spec)
        value, metrics = found.value if status == "ok" else None, finite_metrics(found)
        measured = {"status": status, "value": value, "metrics": metrics}
        if difference := difference_in({each: getattr(line, each) for each in measured}, measured):
            yield f"the ledger does not say what was measured of {name}: {difference}"
        if found.backend == "log" and found.value is not None and self.value_in(run.log) != found.value:
            yield f"the log of {name} does not say {found.value}"

    def value_in(self, log: Path) -> float | None:
        """The metric as the log of a run says it."""
        metric, wanted = self.opened.spec.experiment.metric, self.opened.spec.experiment.metric_names
        return read_metrics("log", metric.options, Place(log.parent, log, 0.0, 0.0), wanted).values.get(metric.name)

    @cached_property
    def seeds(self) -> SealedSeeds | None:
        """The confirmation seeds: as the verdict reveals them, or as they are sealed."""
        verdict = TrialState(self.lines).story.verdict
        return SealedSeeds(verdict.seeds, verdict.salt) if verdict else sealed_seeds(self.opened.folder)

    def seed(self, slot: str) -> int | None:
        if not slot.startswith("b"):
            return self.opened.spec.seed_of(slot)
        return self.seeds.seeds.get(slot) if self.seeds else None

    def basis(self, line: RunLine) -> str:
        """The basis that this run has to have; '' if its seed is not known."""
        seed = str(self.seed(line.slot))
        if line.slot.startswith("b"):
            seed = self.seeds.word(line.slot) if self.seeds and line.slot in self.seeds.seeds else ""
        prereg = read_as(self.opened.folder.prereg, Prereg)
        shared = prereg.shared if prereg else self.opened.start.shared
        return basis_of(shared, self.opened.tree(line.arm), self.opened.arm(line.arm), seed).digest


def keys_in(line: LookLine) -> tuple[tuple[str, str], ...]:
    """The runs that a look names, as arm and slot."""
    parts = (name.rpartition("-") for name in line.runs)
    return tuple((arm, slot) for arm, _, slot in parts)


def without_fault(line: LookLine) -> LookLine:
    """What was wrong with the pre-registration at that time cannot be derived now."""
    return replace(line, facts={name: fact for name, fact in line.facts.items() if name != FAULT})


def difference_in(recorded: object, derived: object) -> str:
    """Where two records differ, such as `looks.0.p is 0.01, and has to be 0.03`. Returns '' if they are equal."""
    return next(differences("", plain_value(recorded), plain_value(derived)), "")


def differences(path: str, recorded: Any, derived: Any) -> Iterator[str]:
    if isinstance(recorded, Mapping) and isinstance(derived, Mapping):
        for name in sorted({*recorded, *derived}):
            yield from differences(f"{path}.{name}", recorded.get(name), derived.get(name))
    elif isinstance(recorded, list | tuple) and isinstance(derived, list | tuple) and len(recorded) == len(derived):
        for number, pair in enumerate(zip(recorded, derived, strict=True)):
            yield from differences(f"{path}.{number}", *pair)
    elif not is_equal(recorded, derived):
        yield f"{path.removeprefix('.')} is {recorded}, and has to be {derived}"


def is_equal(recorded: Any, derived: Any) -> bool:
    """The last digits of a number may differ between two versions of a library."""
    if isinstance(recorded, float) and isinstance(derived, float):
        return isclose(recorded, derived, rel_tol=1e-9, abs_tol=1e-12) or (isnan(recorded) and isnan(derived))
    return bool(recorded == derived)
