"""What the Snakefile holds during one call: the run that is meant and its frontier, or the project alone."""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from flagstone.errors import FlagstoneError
from flagstone.gates.frontier import Call, Frontier
from flagstone.gates.runs import chosen_run, open_run, refuse_unwritable
from flagstone.layout import Project, Run
from flagstone.plans import TRIALS, Plan, TrialPlan, all_plans, find_plan, plans, trial_plans
from flagstone.processes import restore_keyboard_interrupt
from flagstone.records import content_of, digest_value
from flagstone.settings import find_project, pinned_table, project_keys
from flagstone.stages import Stage, StageTable

ALONE = "no-run"  # names paths where only the rules are looked at (`--lint`, `--list-rules`)


@dataclass
class Resident:
    """`flagstone run`, driving Snakemake within its own process: what it asks, and what it learns."""

    here: Path
    approve_all: str = ""
    upto: str = ""
    session: Session | None = None
    error: FlagstoneError | None = None


driver: list[Resident] = []  # at most one: the process is either `snakemake` or `flagstone run`
endings: list[FlagstoneError] = []  # what ended this call of plain `snakemake`, if anything did


def end_call(error: FlagstoneError) -> NoReturn:
    """Ends a call of Snakemake with the two lines of an error; a traceback would tell a person nothing."""
    if driver:
        driver[0].error = error
    else:
        endings.append(error)
    raise SystemExit(1)


def end_session(session: Session | None, is_building: bool) -> None:
    """Ends a call of plain `snakemake` with its very last lines: what ended it, or what a person can do now."""
    if driver:
        return
    frontier = session.frontier if session else None
    if frontier:
        frontier.end()
    lines = [str(endings[-1])] if endings else frontier.last_words() if frontier else []
    if session and session.missing and is_building and not endings:  # a file was asked for that no rule makes then
        lines = [str(session.missing)]
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    sys.stderr.flush()
    if frontier and frontier.is_done and is_building:
        sys.stdout.write(frontier.messages.with_paths(outcome_text(frontier.opened.run)))
        sys.stdout.flush()


def outcome_text(run: Run) -> str:
    """What the campaign of a run came to. Returns '' if the run is no campaign."""
    return (content_of(run.outcome) or b"").decode("utf-8", "replace")


@dataclass(frozen=True)
class ThreadedHandler:
    """A handler of signals that runs in a thread of its own."""

    handler: Callable[..., object]

    def __call__(self, *told: object) -> None:
        threading.Thread(target=self.handler, args=told, daemon=True).start()


def answer_stop_in_a_thread() -> None:
    """Snakemake answers SIGTERM by taking a lock that the code it interrupts may hold: that would hang for ever."""
    handler = signal.getsignal(signal.SIGTERM)
    is_new = not isinstance(handler, ThreadedHandler)
    if callable(handler) and is_new and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, ThreadedHandler(handler))


def keep_warm() -> None:
    """Starts the process that the jobs of this call are forked from: loading takes longer than many a run."""
    from flagstone.processes import server

    if server.BLOCKS not in os.environ:
        path = os.path.join(os.environ["FLAGSTONE_SCRIPTS"], "iterate.py")
        atexit.register(server.spawn_warm_server([sys.executable, path, "--serve"]).stop)


@dataclass(frozen=True)
class Session:
    """One call of Snakemake. Without a run the rules can be listed and checked, but nothing can be asked."""

    project: Project
    frontier: Frontier | None
    missing: FlagstoneError | None = None  # why there is no frontier

    @property
    def run(self) -> Run | None:
        return self.frontier.opened.run if self.frontier else None

    @property
    def layout(self) -> Run:
        return self.run or self.project.run(ALONE)

    @cached_property
    def table(self) -> StageTable:
        return self.frontier.opened.table if self.frontier else pinned_table(self.project, None)

    @property
    def gates(self) -> Frontier:
        """The gates of the run. Raises the error of a call that names no run."""
        if self.frontier is None:
            assert self.missing is not None
            raise self.missing
        return self.frontier

    def experiments(self, stage: Stage) -> list[Path]:
        """What the experiments and trials of a stage wait for: the next block or look of each, or its end."""
        if not (stage.runs_experiments and self.run):
            return []
        found = all_plans(self.layout)
        call = self.gates.call
        if call.executing() and call.is_local() and not all(plan.is_done for plan in found):
            keep_warm()
        return [plan.target for plan in found]

    def pictures(self) -> list[Path]:
        """The course of each experiment that has ended."""
        return [plan.picture for plan in plans(self.layout) if plan.is_done] if self.run else []

    def bundles(self) -> list[Path]:
        """The record of the bundle, once every stage is approved. Runs of an earlier version computed no readiness."""
        run = self.run
        is_asked = run is not None and any(stage.is_release for stage in self.table)
        if not is_asked or not (run and run.below("bundle", "readiness.json").is_file()):
            return []
        if not all(verdict.is_in_force for verdict in self.gates.verdicts.values()):
            return []
        if self.gates.call.executing() and not run.bundle.exists():
            run.packed.unlink(missing_ok=True)
        return [run.packed]

    @property
    def decisions(self) -> str:
        """One word for all decisions about the run: with another one, the bundle is packed again."""
        seals = (content_of(self.layout.seals) or b"").decode("utf-8", "replace")
        return digest_value([seals, self.gates.opened.settings.publishable])

    def plan(self, name: str) -> Plan:
        """The plan of an experiment. Raises an error if there is none."""
        found = find_plan(self.layout, name)
        if found is None:
            raise FlagstoneError(
                f"there is no plan workspace/experiments/{name}.yaml", hint="its stages 03 and 04 write such plans"
            )
        return found

    @property
    def trials(self) -> Path:
        """The folder with all trials of the run."""
        return self.layout.root / TRIALS

    def trial(self, name: str) -> TrialPlan:
        """The plan of a trial. Raises an error if there is none."""
        found = next((plan for plan in trial_plans(self.layout) if plan.name == name), None)
        if found is None:
            raise FlagstoneError(
                f"there is no plan workspace/trials/{name}.yaml", hint="its stages 03 and 04 write such plans"
            )
        return found

    @property
    def experimenter(self) -> Stage | None:
        """The stage that experiments are run for."""
        return next((stage for stage in self.table if stage.runs_experiments), None)

    def request(self, stage: Stage) -> str:
        answer_stop_in_a_thread()  # asked before each job, when Snakemake's own handler is in place
        return self.gates.turn_key(stage)


def open_session(home: Path, here: Path, config: Mapping[str, Any], call: Call) -> Session:
    """The session of a call: `--config run=` that names nothing is an error at once, and creates nothing."""
    restore_keyboard_interrupt()
    logging.raiseExceptions = False  # on a full disk, each line of Snakemake's log would be a traceback
    project = find_project(home)
    overrides = {key: value for key, value in config.items() if key not in ("run", "marker")}
    wanted = config.get("run")
    if "marker" in config and not wanted:
        return Session(project, None)
    try:
        run = chosen_run(project, wanted, project_keys(project.root), here)
    except FlagstoneError as error:
        if wanted:
            raise
        return Session(project, None, error)
    refuse_unwritable(run, (".snakemake",))  # before Snakemake makes its lock there, with a traceback
    opened = open_run(project, run, overrides)
    if not driver:
        return Session(project, Frontier(opened, call))
    resident = driver[0]
    asked = replace(call, here=resident.here, approve_all=resident.approve_all, upto=resident.upto)
    resident.session = Session(project, Frontier(opened, asked))
    return resident.session
