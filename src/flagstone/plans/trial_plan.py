"""Which trials are planned, and which step of each comes next: what Snakemake has to know of them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flagstone.layout import PLAN_FILE, Run
from flagstone.plans.design import design_of
from flagstone.plans.needs import SPARE_S, step_s
from flagstone.plans.trial import TRIALS, TrialFolder, TrialSpec, planned_trial
from flagstone.records import read_record

PLANNED = ("workspace", "trials")  # of a run: where stages 03 and 04 leave plans


@dataclass(frozen=True)
class TrialPlan:
    """One trial: the file that plans it, and its folder. `base` is the project or the run that it belongs to."""

    base: Path
    path: Path
    folder: TrialFolder

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def run(self) -> Run:
        return Run(self.base)

    @property
    def text(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    @property
    def is_approved_by_stage(self) -> bool:
        """Whether a stage has left the plan, so that nothing runs before it is approved."""
        return self.path != self.folder.spec

    @property
    def spec(self) -> TrialSpec | None:
        """What the plan says, with every default; None if it cannot be read (its job says what is wrong)."""
        return spec_in(self.text)

    @property
    def digest(self) -> str:
        """Of the approved design: what the plan says, and the files it names as they were approved."""
        return design_of(self.run, self.text)

    @property
    def label(self) -> str:
        """How it is named in a message."""
        return f"trial {self.name}"

    @property
    def failure_file(self) -> Path:
        return self.folder.failure

    @property
    def done_file(self) -> Path:
        return self.folder.done

    @property
    def is_done(self) -> bool:
        return (read_record(self.done_file) or {}).get("plan") == self.digest

    @property
    def is_begun(self) -> bool:
        return any(self.looks())

    @property
    def evidence(self) -> tuple[Path, ...]:
        """What a stage that used the trial is approved with."""
        return self.folder.spec, self.folder.ledger, self.folder.prereg, self.folder.verdict

    def looks(self) -> Iterator[Mapping[str, Any]]:
        """What each step of this plan came to, as far as they have been decided."""
        digest, number = self.digest, 0
        while (found := read_record(self.folder.look(number)) or {}).get("plan") == digest:
            yield found
            number += 1

    @property
    def target(self) -> Path:
        """What the stage waits for: the end of the trial, or the look that comes next."""
        return self.done_file if self.is_done else self.folder.look(len(list(self.looks())))

    def records(self, number: int) -> list[Path]:
        """The records that the look of a step reads."""
        before = next((look for look in self.looks() if look["step"] == number - 1), {})
        return [self.folder.record(run["arm"], run["slot"]) for run in runs_in(before)]

    def order_of(self, arm: str, slot: str) -> Mapping[str, str] | None:
        """What a step asks of a run: its basis, and what the step is about. Returns None if no step asks for it."""
        found = ((run, look["next"]["what"]) for look in reversed(list(self.looks())) for run in runs_in(look))
        return next(({**run, "what": what} for run, what in found if (run["arm"], run["slot"]) == (arm, slot)), None)

    def basis(self, arm: str, slot: str) -> str:
        """What the number of a run has to hold for, as one word; empty if no step asks for this run."""
        return (self.order_of(arm, slot) or {}).get("basis", "")

    @property
    def needs(self) -> Mapping[str, int]:
        """GPUs and minutes of one run, and whether it may have no other run of a trial beside it."""
        if self.spec is None:
            return {"gpu": 0, "runtime": math.ceil(SPARE_S / 60), "sequential": 0}
        experiment = self.spec.experiment
        seconds = SPARE_S + experiment.harness.seconds + step_s(experiment.evaluate)
        return {
            "gpu": experiment.harness.gpus,
            "runtime": math.ceil(seconds / 60),
            "sequential": int(self.spec.sequential),
        }

    def failure(self) -> Mapping[str, Any]:
        """Why its last job failed, if it did: problem, hint and exit code."""
        return read_record(self.failure_file) or {}


def runs_in(look: Mapping[str, Any]) -> list[Mapping[str, str]]:
    return list((look.get("next") or {}).get("runs", ()))


@lru_cache(maxsize=64)
def spec_in(text: str) -> TrialSpec | None:
    """Read once: Snakemake asks for each job."""
    return planned_trial(text)


def trial_plans(run: Run) -> tuple[TrialPlan, ...]:
    """Every trial that a run has planned, by name."""
    folder = run.root.joinpath(*PLANNED)
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return ()
    found = ((PLAN_FILE.match(name), name) for name in names)
    return tuple(of_run(run, folder / name, hit[1]) for hit, name in found if hit)


def of_run(run: Run, path: Path, name: str) -> TrialPlan:
    return TrialPlan(run.root, path, TrialFolder(run.root / TRIALS / name, run.root))


def trial_plan_at(root: Path) -> TrialPlan:
    """The plan of the trial in this folder: the one that its run has left for it, else trial.yaml itself."""
    above = root.parent.parent
    is_of_run = (above / "run.yaml").is_file()
    folder = TrialFolder(root, above if is_of_run else above.parent)
    planned = (plan for plan in trial_plans(Run(above)) if plan.name == root.name and is_of_run)
    return next(planned, TrialPlan(folder.base, folder.spec, folder))
