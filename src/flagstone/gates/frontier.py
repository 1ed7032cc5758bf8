"""What the Snakefile asks about a run: which stages to build, what they rest on, where to stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.gates import copies, history, memory, mending
from flagstone.gates.judge import State, Verdict, judge_gate, settings_drift
from flagstone.gates.opened import OpenedRun
from flagstone.gates.sealing import seal_by_policy, seal_touch, touch
from flagstone.gates.sentences import Speaker
from flagstone.gates.turns import asked, failure_of, is_begun
from flagstone.locks import FileLock, hold
from flagstone.plans import plan
from flagstone.records import utc
from flagstone.seals import Decision, login_name
from flagstone.stages import Stage


@dataclass(frozen=True)
class Call:
    """How Snakemake was called: what may be changed on disk, and what a person forces."""

    executing: Callable[[], bool]
    forced: Callable[[Stage], bool]
    here: Path
    building: Callable[[], bool] = lambda: True
    is_local: Callable[[], bool] = lambda: True
    approve_all: str = ""
    upto: str = ""


@dataclass
class Frontier:
    """The gates of one run during one call of Snakemake."""

    opened: OpenedRun
    call: Call
    closing_line: str = ""
    notices: list[str] = field(default_factory=list)
    held: FileLock | None = None
    prepared: set[str] = field(default_factory=set)
    sealed: bool = False
    working_on: Stage | None = None
    is_done: bool = False
    is_due: bool = False

    @property
    def speaker(self) -> Speaker:
        return Speaker(self.opened.run, self.call.here)

    def begin(self) -> None:
        """Before anything is judged: hold the run, and put right what a crash left."""
        if self.held or not self.call.executing():
            return
        run = self.opened.run
        self.held = hold(run.lock, f"run {run.name}")
        for lock in (run.root / ".snakemake" / "locks").glob("*"):
            lock.unlink(missing_ok=True)  # we hold the run, so whoever left Snakemake's lock is dead
        copies.arrive(
            run,
            {stage.nr: stage.key for stage in self.opened.table},
            Decision(by="flagstone", who=login_name(os.getuid()), at=utc(time.time()), how="opened"),
        )
        self.notices += mending.mend(self.opened)
        if "verdict" in self.opened.settings.approval.values():
            self.notices.append("approval by `verdict` comes with trials; until then those stages wait for a person")

    def is_aborted(self) -> bool:
        if self.opened.run.aborted.exists():
            self.closing_line = self.speaker.aborted()
            return True
        return False

    def verdict(self, stage: Stage, bring_up_to_date: Callable[[Stage], object]) -> Verdict:
        """The judgement on a gate, once Snakemake has brought its stage up to date."""
        self.prepare(stage)
        bring_up_to_date(stage)
        found = self.judged(stage)
        if self.call.executing():
            found = self.settle(found)
        return found

    def judged(self, stage: Stage) -> Verdict:
        """The judgement on a gate as it lies there, made once in a moment."""
        return self.opened.once(("verdict", stage.nr), lambda: judge_gate(self.opened, stage, time.time_ns()))

    def settle(self, found: Verdict) -> Verdict:
        """Seals a fresh approval; lets a policy approve where the run says so."""
        stage = found.stage
        policy = self.policy(stage)
        if policy and self.may_decide(found):
            seal_by_policy(self.opened, found, policy)
            self.opened.forget()
            found = self.judged(stage)
            self.sealed = True
        if found.is_open:
            if found.fresh:
                seal_touch(self.opened, found)
                self.opened.forget()
                self.sealed = True
            self.not_in_the_future(stage)
        return found

    def policy(self, stage: Stage) -> str:
        approver = self.opened.settings.approver(stage.nr)
        return self.call.approve_all or (approver if approver == "auto" else "")

    def may_decide(self, found: Verdict) -> bool:
        """A policy approves new work; what a person took back, or settings that changed under it, stay a person's."""
        if found.state is State.WAITING:
            return True
        return found.state is State.STALE and not settings_drift(self.opened, found.stage)

    def prepare(self, stage: Stage) -> None:
        """Once a call, before Snakemake may delete what a stage published."""
        if stage.nr in self.prepared or not self.call.executing():
            return
        self.prepared.add(stage.nr)
        run = self.opened.run
        history.keep_current(self.opened, stage)
        if self.call.forced(stage) and not run.redo(stage.nr).exists():
            touch(run, run.redo(stage.nr))  # --forcerun asks for a new turn, not for the same one again
            self.opened.forget()
        if self.judged(stage).state is State.DUE:
            # kept above; without them the stage is rebuilt whatever Snakemake still knows about it
            run.offer(stage.key).unlink(missing_ok=True)
            run.summary(stage.key).unlink(missing_ok=True)
            self.opened.forget()

    def prepare_reachable(self, stages: tuple[Stage, ...]) -> None:
        """Prepares what lies before the first closed gates, before Snakemake has looked which files there are."""
        if not self.call.executing():
            return
        closed: set[str] = set()
        for stage in stages:
            if any(up.nr in closed for up in self.opened.table.ancestors(stage.nr)):
                closed.add(stage.nr)
                continue
            self.prepare(stage)
            found = self.judged(stage)
            if not (found.is_open or (self.policy(stage) and self.may_decide(found))):
                closed.add(stage.nr)

    def targets(self, bring_up_to_date: Callable[[Stage], object]) -> list[Path]:
        """Every document up to each first gate that is closed."""
        self.begin()
        with self.opened.one_moment():
            return self.reachable(bring_up_to_date)

    def reachable(self, bring_up_to_date: Callable[[Stage], object]) -> list[Path]:
        if self.is_aborted():
            return []
        self.prepare_reachable(tuple(self.opened.table))
        self.closing_line = ""
        wanted: list[Path] = []
        closed: set[str] = set()
        for stage in self.opened.table:
            if any(up.nr in closed for up in self.opened.table.ancestors(stage.nr)):
                closed.add(stage.nr)
                continue
            self.working_on = stage
            if self.call.building() or self.opened.run.summary(stage.key).is_file():
                found = self.verdict(stage, bring_up_to_date)
                wanted.append(self.opened.run.summary(stage.key))
            else:  # a report shows what is there
                found = judge_gate(self.opened, stage, time.time_ns())
            if not found.is_open:
                closed.add(stage.nr)
                self.closing_line = self.closing_line or self.speaker.line(found)
                self.is_due = self.is_due or found.state is State.DUE
            if stage.nr == self.call.upto:
                break
        self.is_done = not self.closing_line
        self.closing_line = self.closing_line or self.speaker.done(self.call.upto)
        self.finish()
        return wanted

    def failure(self) -> dict[str, Any]:
        """How the stage that was last worked on failed, if it did."""
        stage = self.working_on
        if stage is None or self.closing_line:
            return {}
        found = failure_of(self.opened.run, stage.nr, asked(self.opened, stage).key)
        return found or (dict(plan.failure_of(self.opened.run)) if stage.runs_experiments else {})

    def last_words(self) -> list[str]:
        """What a person should read last: what was mended, and where the run stands."""
        notes = [f"note: {notice}" for notice in self.notices]
        failure = self.failure()
        if failure:
            return [*notes, str(failure.get("problem")), str(failure.get("hint"))]
        if self.closing_line or self.working_on is None:
            return notes + [line for line in [self.closing_line] if line]
        return [*notes, self.where_it_stands(self.working_on)]

    def where_it_stands(self, stage: Stage) -> str:
        """What to say of the stage last looked at, when this call ended before it came to a gate."""
        found = judge_gate(self.opened, stage, time.time_ns())
        if found.is_open:
            return f"stage {stage.nr} {stage.name} is approved"
        if found.state not in (State.NOT_YET, State.DUE):
            return self.speaker.line(found)
        if self.call.executing() and is_begun(self.opened.run, stage.nr, asked(self.opened, stage).key):
            return f"stage {stage.nr} {stage.name} was stopped; the same command goes on where it stopped"
        is_asked = self.call.executing() and stage.runs_experiments
        cut_off = plan.cut_off(self.opened.run, self.speaker.path) if is_asked else ""
        return cut_off or f"stage {stage.nr} {stage.name} comes next: it would be built now"

    def inputs(self, stage: Stage, bring_up_to_date: Callable[[Stage], object]) -> tuple[list[Path], list[Path]]:
        """The approved documents a stage rests on, and their flags; an error where a gate is closed."""
        self.begin()
        with self.opened.one_moment():
            return self.approved(stage, bring_up_to_date)

    def approved(self, stage: Stage, bring_up_to_date: Callable[[Stage], object]) -> tuple[list[Path], list[Path]]:
        if self.is_aborted():
            raise self.refusal(self.closing_line, "nothing was run")
        self.prepare_reachable((*self.opened.table.ancestors(stage.nr), stage))
        for up in self.opened.table.ancestors(stage.nr):
            found = self.verdict(up, bring_up_to_date)
            if not found.is_open:
                raise self.refusal(f"stage {stage.nr} {stage.name} is behind a closed gate", self.speaker.line(found))
        self.prepare(stage)
        self.working_on = stage
        run = self.opened.run
        direct = [self.opened.table.stage(nr) for nr in stage.after]
        return [run.summary(up.key) for up in direct], [run.flag(up.nr) for up in direct]

    def refusal(self, problem: str, hint: str) -> FlagstoneError:
        """Why a document that was asked for cannot be had; these are the last words then."""
        self.closing_line, self.working_on = "", None
        return FlagstoneError(problem, hint=hint)

    def request(self, stage: Stage) -> str:
        """What is asked of a stage now, as one word: when it changes, the stage runs again."""
        return asked(self.opened, stage).key

    def not_in_the_future(self, stage: Stage) -> None:
        """Snakemake fails a job, and deletes its outputs, over an input from the future."""
        run = self.opened.run
        for path in (run.flag(stage.nr), run.summary(stage.key)):
            if os.stat(path).st_mtime > time.time():
                os.utime(path)

    def end(self) -> None:
        """Lets the run go, for whoever comes next."""
        if self.held:
            self.held.release()
            self.held = None

    def finish(self) -> None:
        """Brings what is derived from the seals up to date."""
        if self.call.executing():
            if self.sealed:
                memory.write(self.opened)
                self.sealed = False
            self.opened.cache.save()
