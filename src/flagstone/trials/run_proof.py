"""Whether each run line of a trial's ledger is what was run and measured, as far as the files beside it tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import isclose, isnan
from pathlib import Path
from typing import Any

from flagstone.experiments.measuring import Measurement
from flagstone.metrics import Place, read_metrics
from flagstone.plans import RunFolder
from flagstone.records import content_of, plain_value, read_as, read_record
from flagstone.text import list_text
from flagstone.trials.lines import Line, RunLine, VerdictLine
from flagstone.trials.running import OpenedTrial, RunRecord, TrialRun, line_measured, run_record
from flagstone.trials.sealing import Prereg, SealedSeeds, basis_of, facts_fault, sealed_seeds

OTHER_FILES = "no longer holds the files that were run"
ADDED = ("contract", "data", "environment")  # records of earlier versions lack them


@dataclass(frozen=True)
class RunProof:
    """One trial, whose runs are held against their records, measurements, logs and files."""

    opened: OpenedTrial
    lines: tuple[Line, ...]

    def problems(self) -> Iterator[str]:
        runs = [line for line in self.lines if isinstance(line, RunLine)]
        keys = [(run.arm, run.slot, run.basis) for run in runs]
        for arm, slot, _ in dict.fromkeys(key for key in keys if keys.count(key) > 1):
            yield f"the ledger has two lines of one run, {arm}-{slot}"
        first = next((run for run in runs if run.environment), None)
        for run in {(run.arm, run.slot): run for run in runs}.values():
            yield from self.record_problems(run)
            yield from self.measurement_problems(run, self.folder_of(run))
            yield from self.file_problems(run, self.folder_of(run))
            if first and run.environment not in ("", first.environment):
                yield f"{run.arm}-{run.slot} ran in another environment than {first.arm}-{first.slot}"
        shared = self.opened.start.shared
        for digest in {shared.data, shared.environment, *(run.environment for run in runs if run.environment)}:
            yield from filter(None, [facts_fault(self.opened.folder, digest)])

    def folder_of(self, line: RunLine) -> RunFolder:
        sealed = self.opened.folder.sealed_run(line.arm, line.slot)
        return RunFolder(sealed if sealed.is_dir() else self.opened.folder.run(line.arm, line.slot))

    def record_problems(self, line: RunLine) -> Iterator[str]:
        """A run line has to be what the record says, and the record what this trial asks of the run."""
        name, record = f"{line.arm}-{line.slot}", read_as(self.opened.folder.record(line.arm, line.slot), RunRecord)
        if record is None:
            yield f"the record of {name} is missing or cannot be read"
        elif difference := difference_in(line, record.line):
            yield f"the record of {name} is not what the ledger says: {difference}"
        else:
            known: dict[str, Any] = {each: "" for each in ADDED if not getattr(record, each)}
            asked = replace(run_record(self.opened, line, self.seed(line.slot)), **known)
            if difference := difference_in(record, asked):
                yield f"the record of {name} is not of the run that was asked for: {difference}"
        if line.basis not in ("", self.basis(line)):
            yield f"{name} ran with another tree, command, seed, data or environment than this trial asks for"

    def measurement_problems(self, line: RunLine, run: RunFolder) -> Iterator[str]:
        """What was measured has to come to the line, on the seed of the slot; and the log has to say so."""
        name, found = run.root.name, read_as(run.measurement_file("first"), Measurement)
        if found is None:
            yield f"the measurement of {name} is missing or cannot be read"
            return
        if found.seed != self.seed(line.slot):
            yield f"{name} was measured on another seed than that of its slot"
        measured = line_measured(found, self.opened.spec, TrialRun(line.arm, line.slot, line.basis))
        measured = replace(measured, at=line.at, host=line.host, environment=line.environment)
        if difference := difference_in(line, measured):
            yield f"the ledger does not say what was measured of {name}: {difference}"
        if found.backend == "log" and found.value is not None and self.value_in(run.log) != found.value:
            yield f"the log of {name} does not say {found.value}"

    def file_problems(self, line: RunLine, run: RunFolder) -> Iterator[str]:
        """The folder of a run has to be that of this run, and to hold the files in which arms may differ."""
        if (read_record(run.root / "basis.json") or {}).get("basis") != line.basis:
            yield f"the folder of {run.root.name} belongs to another run"
        stored = self.opened.subject.files(self.opened.tree(line.arm))
        other = [path for path, content in stored.items() if content_of(run.tree / path) != content]
        if other and run.tree.is_dir():
            yield f"the folder of {run.root.name} {OTHER_FILES}: {list_text(other)}"

    def value_in(self, log: Path) -> float | None:
        """The metric as the log of a run says it."""
        metric, wanted = self.opened.spec.experiment.metric, self.opened.spec.experiment.metric_names
        return read_metrics("log", metric.options, Place(log.parent, log, 0.0, 0.0), wanted).values.get(metric.name)

    @cached_property
    def seeds(self) -> SealedSeeds | None:
        """The confirmation seeds: as the verdict reveals them, or as they are sealed."""
        verdict = next((line for line in reversed(self.lines) if isinstance(line, VerdictLine)), None)
        return SealedSeeds(verdict.seeds, verdict.salt) if verdict else sealed_seeds(self.opened.folder)

    def seed(self, slot: str) -> int | None:
        if not slot.startswith("b"):
            return self.opened.spec.seed_of(slot)
        return self.seeds.seeds.get(slot) if self.seeds else None

    @cached_property
    def prereg(self) -> Prereg | None:
        return read_as(self.opened.folder.prereg, Prereg)

    def basis(self, line: RunLine) -> str:
        """The basis that this run has to have; '' if its seed is not known."""
        seed = str(self.seed(line.slot))
        if line.slot.startswith("b"):
            seed = self.seeds.word(line.slot) if self.seeds and line.slot in self.seeds.seeds else ""
        shared = self.prereg.shared if self.prereg else self.opened.start.shared
        return basis_of(shared, self.opened.tree(line.arm), self.opened.arm(line.arm), seed).digest


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
