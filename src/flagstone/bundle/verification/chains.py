"""Whether ledgers are whole, and files what was approved: the chains of a bundle, and the seals over its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.ledger import Entry, head_of, ledger_problems, result_record
from flagstone.gates import index_slices
from flagstone.layout import Run
from flagstone.metrics import Place, read_metrics
from flagstone.plans import Home, Spec, load_spec
from flagstone.records import Ledger, digest_file, read_record
from flagstone.seals import Seal

LEDGERS = (
    "approved/*.jsonl",
    "experiments/*/ledger.jsonl",
    "trials/*/ledger.jsonl",
    "trials/preregistrations.jsonl",
    "logs/agents.jsonl",
)


@dataclass(frozen=True)
class Mismatch:
    """Something that does not hold, and the file that it is about."""

    path: str
    text: str


def ledgers_of(run: Run) -> list[Path]:
    return sorted(path for glob in LEDGERS for path in run.root.glob(glob))


def chain_faults(run: Run) -> Iterator[Mismatch]:
    """Lines of ledgers that do not follow from the line before."""
    for path in ledgers_of(run):
        name = run.relative(path)
        problems = Ledger(path).problems() if path.parent == run.approved else ledger_problems(path)
        yield from (Mismatch(name, f"{name}: {problem}") for problem in problems)
    for done in sorted(run.root.glob("experiments/*/done.json")):
        head = (read_record(done) or {}).get("ledger") or (0,)
        ledger = done.with_name("ledger.jsonl")
        if head[0] and tuple(head) != head_of(ledger, head[0]):
            yield Mismatch(
                run.relative(ledger), f"{run.relative(ledger)} is not the one that the experiment ended with"
            )


def approvals(run: Run, but: str = "") -> dict[str, Seal]:
    """The last approval of each stage, but of one that is being built."""
    seals = Ledger(run.seals).entries(Seal)
    return {seal.stage: seal for seal in seals if seal.event == "approved" and seal.stage != but}


def seal_faults(run: Run, approved: Mapping[str, Seal], left_out: Mapping[str, str]) -> Iterator[Mismatch]:
    """Files and indexes that are not what was approved last."""
    slices = index_slices(run)
    for nr, seal in sorted(approved.items()):
        for path, digest in sorted(seal.files.items()):
            file = run.root / path
            if not file.is_file():
                if path not in left_out:
                    yield Mismatch(path, f"{path} is missing, and the seal of stage {nr} names it")
            elif digest_file(file) != digest:
                yield Mismatch(path, f"{path} is not what the seal of stage {nr} names")
        for kind, digest in sorted(seal.index.items()):
            if slices.get(nr, {}).get(kind) != digest:
                yield Mismatch(f"index/{kind}.json", f"index/{kind}.json is not what the seal of stage {nr} names")


@dataclass(frozen=True)
class ExperimentProof:
    """One experiment: every line of its ledger is held against the folder of its run."""

    run: Run
    home: Home
    schemas: Path

    @cached_property
    def spec(self) -> Spec:
        return load_spec(self.home.spec, self.run.root, self.schemas)

    def faults(self) -> Iterator[Mismatch]:
        entries = Ledger(self.home.ledger).entries(Entry)
        try:
            for entry in entries:
                yield from self.run_faults(entry)
        except FlagstoneError as error:
            yield Mismatch(self.run.relative(self.home.spec), error.problem)
        is_over = self.home.root.joinpath("done.json").is_file()
        for name in sorted(set(self.home.run_names()) - {entry.run_id for entry in entries}):
            run = self.home.run(name)
            if is_over or run.result.exists():  # otherwise it was going on when the run was packed
                folder = self.run.relative(run.root)
                yield Mismatch(folder, f"{folder} is there, and the ledger has no line of it")

    def run_faults(self, entry: Entry) -> Iterator[Mismatch]:
        folder = self.home.run(entry.run_id)
        name = self.run.relative(folder.root)
        if not folder.root.is_dir():
            yield Mismatch(name, f"{name} is missing; its line in the ledger says {entry.status}, {entry.verdict}")
            return
        had, due = read_record(folder.result), result_record(entry, self.spec)
        other = [key for key, value in (had or {}).items() if value != due.get(key)]
        if had is None or other:
            what = f"says another {other[0]} than its line in the ledger" if other else "is missing"
            yield Mismatch(name, f"{self.run.relative(folder.result)} {what}")
        for each in (*entry.measurements, *entry.beside):
            is_told = each.backend == "log" and each.value is not None and bool(each.log)
            if is_told and not self.says(each.log, each.value):
                yield Mismatch(name, f"{name}/{Path(each.log).name} does not say {each.value}, as the ledger does")

    def says(self, path: str, value: float | None) -> bool:
        """Whether a log says this number. A hostile ledger may name any file of this machine."""
        log = self.home.root / path
        if not log.resolve().is_relative_to(self.home.root.resolve()) or not log.is_file():
            return False
        metric, place = self.spec.metric, Place(log.parent, log, 0.0, 0.0)
        return read_metrics("log", metric.options, place, self.spec.metric_names).values.get(metric.name) == value


def experiment_faults(run: Run, schemas: Path) -> Iterator[Mismatch]:
    for ledger in sorted(run.root.glob("experiments/*/ledger.jsonl")):
        yield from ExperimentProof(run, Home(ledger.parent, run.root), schemas).faults()
