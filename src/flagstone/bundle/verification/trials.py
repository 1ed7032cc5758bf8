"""Whether each trial of a bundle was decided by what was sealed before it began."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flagstone.bundle.verification.chains import Mismatch
from flagstone.layout import Run
from flagstone.plans import TrialPlan, trial_plan_at
from flagstone.records import read_as
from flagstone.trials import Line, RunLine, VerdictLine, lines_in, trial_problems
from flagstone.trials.planning import load_trial
from flagstone.trials.sealing import Prereg, SealedSeeds, edit_text, prereg_problems


@dataclass(frozen=True)
class PackedTrial:
    """One trial of an unpacked bundle."""

    run: Run
    plan: TrialPlan
    schemas: Path
    rewritten: Collection[str]  # paths of files that were packed without paths and names

    @property
    def name(self) -> str:
        return self.plan.name

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        return tuple(lines_in(self.plan.folder.ledger))

    @cached_property
    def prereg(self) -> Prereg | None:
        return read_as(self.plan.folder.prereg, Prereg)

    @cached_property
    def verdict(self) -> VerdictLine | None:
        return next((line for line in reversed(self.lines) if isinstance(line, VerdictLine)), None)

    @property
    def runs(self) -> list[RunLine]:
        return [line for line in self.lines if isinstance(line, RunLine)]

    def seed(self, slot: str) -> int | None:
        """The seed of a slot: one of the plan, or of those that the verdict revealed."""
        if slot.startswith("b"):
            return self.verdict.seeds.get(slot) if self.verdict else None
        return load_trial(self.plan.folder.spec, self.run.root, self.schemas).seed_of(slot)

    def fault(self, path: Path, text: str) -> Mismatch:
        return Mismatch(self.run.relative(path), f"trial {self.name}: {text}")

    def prereg_faults(self) -> Iterator[Mismatch]:
        """What was decided after the first treated run, or changed since."""
        folder = self.plan.folder
        if found := edit_text(folder, self.lines):
            yield self.fault(folder.prereg, found)
            return
        spec = load_trial(folder.spec, self.run.root, self.schemas)
        yield from (self.fault(folder.prereg, found) for found in prereg_problems(folder, spec, self.lines))

    def seed_faults(self) -> Iterator[Mismatch]:
        """Seeds that are not those whose digest was sealed."""
        if self.prereg is None or not self.prereg.seeds or self.verdict is None:
            return
        if SealedSeeds(self.verdict.seeds, self.verdict.salt).digest != self.prereg.seeds:
            yield self.fault(self.plan.folder.ledger, "its seeds are not those whose digest the pre-registration has")

    def verdict_faults(self) -> Iterator[Mismatch]:
        """Whatever does not follow from the runs."""
        facts = {f"facts/{Path(path).name} was changed" for path in self.rewritten if "/facts/" in path}
        for problem in trial_problems(self.plan, self.schemas):
            if problem not in facts:
                yield self.fault(self.plan.folder.root, problem)


def packed_trials(run: Run, schemas: Path, rewritten: Collection[str]) -> list[PackedTrial]:
    """Every trial that has begun."""
    ledgers = sorted(run.root.glob("trials/*/ledger.jsonl"))
    return [PackedTrial(run, trial_plan_at(ledger.parent), schemas, rewritten) for ledger in ledgers]
