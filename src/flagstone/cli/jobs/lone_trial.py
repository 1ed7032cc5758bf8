"""A trial without a run: what its Snakefile asks, and the call that takes it to its end."""

from __future__ import annotations

import atexit
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.cli.jobs.loading import load_trial
from flagstone.errors import FlagstoneError, Interrupted, WorkFailed
from flagstone.layout import shipped_files
from flagstone.locks import hold, holder_of
from flagstone.plans import TrialFolder, TrialPlan, trial_plan_at
from flagstone.processes import BLOCKS, start_warm_server

RUNNING = "running"  # whoever holds this file goes on with the trial


@dataclass(frozen=True)
class LoneTrial:
    """The trial in a folder, as the rules of trials ask for it."""

    root: Path

    @property
    def trials(self) -> Path:
        return self.root.parent

    @property
    def plan(self) -> TrialPlan:
        found = trial_plan_at(self.root)
        if found.is_approved_by_stage:
            again = f"snakemake --cores 1 --config run={found.base.name}"
            raise FlagstoneError(
                f"trial {found.name} is planned by run {found.base.name}, and runs when its plan is approved",
                hint=f"go on with the run: {again}",
            )
        return found

    def trial(self, name: str) -> TrialPlan:
        if name != self.root.name:
            raise FlagstoneError(f"this is trial {self.root.name}, not {name}", hint="ask for its own files")
        return self.plan

    def begin_call(self) -> None:
        """Takes the trial until this process ends, so that no other call goes on with it; then loads what jobs need."""
        running, name = self.root / RUNNING, f"trial {self.root.name}"
        if self.plan.is_done:
            return
        if (holder_of(running) or {}).get("pid") != os.getpid():
            atexit.register(hold(running, name).release)
        if BLOCKS not in os.environ and threading.active_count() == 1:  # a fork has no threads but one
            atexit.register(start_warm_server(load_trial, BLOCKS, keeps_workers=True).stop)


def run_alone(folder: TrialFolder, cores: int) -> None:
    """Runs a trial to its end, or goes on where it stopped. Raises the error of a job that failed."""
    # here, not above: the Snakefile, which reads this module, runs nothing
    from flagstone.cli.jobs.resident import Workflow, execute

    plan = LoneTrial(folder.root).plan
    with hold(folder.root / RUNNING, f"trial {folder.name}"):
        for lock in (folder.root / ".snakemake" / "locks").glob("*"):
            lock.unlink(missing_ok=True)  # we hold the trial, so whoever left Snakemake's lock is dead
        ended_well = execute(Workflow(shipped_files() / "workflow" / "trials.smk", folder.root), cores)
    if ended_well and plan.is_done:
        return
    failure: Any = plan.failure()
    if failure:
        error = WorkFailed(str(failure["problem"]), hint=str(failure["hint"]))
        error.exit_code = int(failure["exit_code"])
        raise error
    raise Interrupted(f"trial {folder.name} was interrupted", hint="the same command continues where it stopped")
