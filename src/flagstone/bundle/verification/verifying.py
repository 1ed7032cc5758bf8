"""Verifies a bundle, one line for each thing that has to hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from flagstone.bundle.archive import SUMS
from flagstone.bundle.contents import stores_of
from flagstone.bundle.packing import NOTES
from flagstone.bundle.verification.chains import (
    Mismatch,
    approvals,
    chain_faults,
    experiment_faults,
    ledgers_of,
    seal_faults,
)
from flagstone.bundle.verification.opening import LINE, opened_bundle
from flagstone.bundle.verification.papers import PackedPaper
from flagstone.bundle.verification.rerunning import choose_runs, outcome_of
from flagstone.bundle.verification.resting import resting_on
from flagstone.bundle.verification.trials import PackedTrial, packed_trials
from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Store
from flagstone.gates import RunConfig, open_run
from flagstone.layout import Run, shipped_files
from flagstone.records import Ledger, content_of, digest_bytes, digest_file, read_record
from flagstone.settings import find_project
from flagstone.text import count_text, escaped_text, list_text

MOST_ABSENT = 12


@dataclass(frozen=True)
class BundleLine:
    """One line of what was verified. `held` is None if there was nothing to look at."""

    name: str
    held: bool | None
    text: str
    paths: tuple[str, ...] = ()  # of what does not hold
    rests: tuple[str, ...] = ()  # the facts, and their sentences, that rest on it


@dataclass(frozen=True)
class VerifyOptions:
    """`published` is the digest that the authors told; `building` is a stage whose approval does not count yet.

    `reruns` is how many runs are run again.
    """

    published: str = ""
    building: str = ""
    reruns: int = 0


def verify_bundle(path: Path, asked: VerifyOptions = VerifyOptions()) -> Iterator[BundleLine]:
    """Every line, in order, as soon as it is known."""
    with opened_bundle(path) as folder:
        bundle, named = UnpackedBundle(Run(folder), asked), set[str]()
        for line in bundle.lines():
            try:
                found = line()
            except FlagstoneError as error:
                found = BundleLine(line.__name__, False, error.problem)
            except Exception as error:  # a hostile record may be of any form: it does not hold, and the rest goes on
                found = BundleLine(line.__name__, False, f"cannot be read: {type(error).__name__}: {error}")
            new = [path for path in found.paths if path not in named]
            named.update(new)
            yield replace(found, rests=tuple(resting_on(bundle.run, new))) if new else found


@dataclass(frozen=True)
class UnpackedBundle:
    """An unpacked bundle, whose files are all hostile until a line says otherwise."""

    run: Run
    asked: VerifyOptions

    def lines(self) -> tuple[Callable[[], BundleLine], ...]:
        return (
            self.digests,
            self.chains,
            self.seals,
            self.experiments,
            self.preregistration,
            self.seeds,
            self.verdicts,
            self.facts,
            self.appendix,
            self.paper_pdf,
            self.reruns,
        )

    @cached_property
    def schemas(self) -> Path:
        """Ours, not those of the bundle: a hostile schema would pass anything."""
        return shipped_files() / "schemas"

    @cached_property
    def notes(self) -> Mapping[str, Mapping[str, str]]:
        return read_record(self.run.root / NOTES) or {}

    @cached_property
    def run_config(self) -> RunConfig:
        return open_run(find_project(shipped_files()), self.run, validate=False)

    @cached_property
    def paper(self) -> PackedPaper:
        return PackedPaper(self.run_config)

    @cached_property
    def trials(self) -> list[PackedTrial]:
        return packed_trials(self.run, self.schemas, self.notes.get("rewritten", {}))

    def digests(self) -> BundleLine:
        """Whether every file is the one that was packed, and no other is there."""
        listed = content_of(self.run.root / SUMS)
        if listed is None:
            return BundleLine("digests", False, f"{SUMS} is missing")
        found = [LINE.match(line) for line in listed.decode("utf-8", "replace").splitlines()]
        sums = {each[2]: each[1] for each in found if each}
        top = self.run.root
        there = {path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file()} - {SUMS}
        faults = [Mismatch(path, f"{escaped_text(path)} is missing") for path in sorted(sums.keys() - there)]
        faults += [Mismatch(path, f"{escaped_text(path)} was added") for path in sorted(there - sums.keys())]
        changed = (path for path in sorted(there & sums.keys()) if digest_file(top / path) != sums[path])
        faults += [Mismatch(path, f"{escaped_text(path)} was changed") for path in changed]
        faults += [Mismatch(SUMS, f"{SUMS} has lines that cannot be read")] if None in found else []
        digest = digest_bytes(listed)
        if self.asked.published and digest != self.asked.published:
            faults.append(
                Mismatch(SUMS, f"the digest of all is {digest}, not {self.asked.published}, which was published")
            )
        return line_of("digests", faults, f"{count_text(len(sums), 'file')}; digest of all: {digest}")

    def chains(self) -> BundleLine:
        """Whether every line of every ledger follows from the one before."""
        for store in stores_of(self.run):
            Store(store).make()  # after the digests, with settings of ours: a bundle holds none
        ledgers = ledgers_of(self.run)
        good = f"{count_text(len(ledgers), 'ledger')}; head of the decisions: {Ledger(self.run.seals).head}"
        return line_of("chains", chain_faults(self.run), good) if ledgers else nothing("chains", "there is no ledger")

    def seals(self) -> BundleLine:
        """Whether every file that was approved is here as it was approved."""
        found = approvals(self.run, self.asked.building)
        if not found:
            return nothing("seals", "no stage was approved")
        files = sum(len(seal.files) for seal in found.values())
        good = f"{count_text(files, 'file')} as approved in stages {', '.join(sorted(found))}"
        left_out = self.notes.get("left_out", {})
        absent = sorted({path for seal in found.values() for path in seal.files if path in left_out})
        good += f"; approved, and not in this bundle: {list_text(absent, MOST_ABSENT)}" if absent else ""
        return line_of("seals", seal_faults(self.run, found, left_out), good)

    def experiments(self) -> BundleLine:
        """Whether every run of an experiment is here, and says what its line in the ledger says."""
        count = len(list(self.run.root.glob("experiments/*/ledger.jsonl")))
        good = f"every run of {count_text(count, 'experiment')} is here, and says what its ledger says"
        faults = experiment_faults(self.run, self.schemas)
        return line_of("experiments", faults, good) if count else nothing("experiments", "the run has no experiment")

    def preregistration(self) -> BundleLine:
        """Whether what decides each trial was sealed before the first treated run."""
        return self.of_trials("preregistration", PackedTrial.prereg_faults, "sealed before the first treated run")

    def seeds(self) -> BundleLine:
        """Whether the revealed seeds are those whose salted digest was sealed."""
        return self.of_trials("seeds", PackedTrial.seed_faults, "the seeds are those whose digest was sealed")

    def verdicts(self) -> BundleLine:
        """Whether each verdict follows from the runs."""
        return self.of_trials("verdicts", PackedTrial.verdict_faults, "the verdict follows from the runs")

    def facts(self) -> BundleLine:
        """Whether the facts come out of the results again, byte by byte."""
        if not self.paper.is_there:
            return nothing("facts", "the run has no paper with facts")
        good = f"{count_text(len(self.paper.book.facts), 'fact')} computed again, byte by byte"
        return line_of("facts", self.paper.fact_faults(), good)

    def appendix(self) -> BundleLine:
        """Whether every run, idea and decision of the ledgers is in the appendix."""
        if not self.paper.is_there:
            return nothing("appendix", "the run has no paper with facts")
        faults = self.paper.appendix_faults()
        return line_of("appendix", faults, "made again from the ledgers, byte by byte; nothing is missing")

    def paper_pdf(self) -> BundleLine:
        """Whether each digit string of the PDF is explained, and the paper is the one that was approved."""
        if not self.paper.is_there:
            return nothing("paper", "the run has no paper with facts")
        report = self.paper.audit()
        failed = [Mismatch("paper/paper.pdf", check.message) for check in report.checks if check.status == "failed"]
        return line_of("paper", [*self.paper.copy_faults(), *failed], report.one_line)

    def reruns(self) -> BundleLine:
        """Whether runs that are drawn at random give the same again."""
        runs = choose_runs(self.trials, max(self.asked.reruns, 1))
        if not runs:
            return nothing("reruns", "no run of a trial has a value")
        if not self.asked.reruns:
            took_s = sum(run.line.wall_s for run in runs)
            return nothing(
                "reruns", f"--rerun 1 runs one of the trials' runs again ({runs[0].name} took {took_s:.1f} s)"
            )
        outcomes = [outcome_of(run) for run in runs]
        return BundleLine("reruns", all(held for held, _ in outcomes), list_text([text for _, text in outcomes]))

    def of_trials(self, name: str, faults_of: Callable[[PackedTrial], Iterable[Mismatch]], good: str) -> BundleLine:
        if not self.trials:
            return nothing(name, "the run has no trial")
        faults = [fault for trial in self.trials for fault in faults_of(trial)]
        return line_of(name, faults, f"{list_text([trial.name for trial in self.trials])}: {good}")


def nothing(name: str, why: str) -> BundleLine:
    return BundleLine(name, None, f"nothing to verify: {why}")


def line_of(name: str, faults: Iterable[Mismatch], good: str) -> BundleLine:
    found = list(faults)
    paths = tuple(dict.fromkeys(fault.path for fault in found))
    return BundleLine(name, not found, list_text([fault.text for fault in found]) if found else good, paths)
