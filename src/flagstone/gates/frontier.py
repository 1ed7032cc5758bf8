"""What the Snakefile asks about a run: which stages to build, what they rest on, where to stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.gates import history, memory, mending, place
from flagstone.gates.holder import Held, hold
from flagstone.gates.judge import State, Verdict, judge
from flagstone.gates.opened import OpenedRun
from flagstone.gates.sealing import seal_by_policy, seal_touch, touch
from flagstone.gates.seals import Decision, login_name
from flagstone.gates.turns import asked
from flagstone.gates.words import Speaker
from flagstone.records import utc
from flagstone.stages import Stage


@dataclass(frozen=True)
class Call:
    """How Snakemake was called: what may be changed on disk, and what a person forces."""

    executing: Callable[[], bool]
    forced: Callable[[Stage], bool]
    here: Path
    approve_all: str = ""


@dataclass
class Frontier:
    """The gates of one run during one call of Snakemake."""

    opened: OpenedRun
    call: Call
    closing_line: str = ""
    notices: list[str] = field(default_factory=list)
    held: Held | None = None
    prepared: set[str] = field(default_factory=set)
    sealed: bool = False

    @property
    def speaker(self) -> Speaker:
        return Speaker(self.opened.run, self.call.here)

    def begin(self) -> None:
        """Before anything is judged: hold the run, and put right what a crash left."""
        if self.held or not self.call.executing():
            return
        run = self.opened.run
        self.held = hold(run.lock, f"run {run.name}", utc(time.time()))
        for lock in (run.root / ".snakemake" / "locks").glob("*"):
            lock.unlink(missing_ok=True)  # we hold the run, so whoever left Snakemake's lock is dead
        place.arrive(
            run,
            {stage.nr: stage.key for stage in self.opened.table},
            Decision(by="flagstone", who=login_name(os.getuid()), at=utc(time.time()), how="opened"),
        )
        self.notices += mending.mend(self.opened)

    def is_aborted(self) -> bool:
        if self.opened.run.aborted.exists():
            self.closing_line = self.speaker.aborted()
            return True
        return False

    def verdict(self, stage: Stage, bring_up_to_date: Callable[[Stage], object]) -> Verdict:
        """The judgement on a gate, once Snakemake has brought its stage up to date."""
        self.prepare(stage)
        bring_up_to_date(stage)
        found = judge(self.opened, stage, time.time_ns())
        if self.call.executing():
            found = self.settle(found)
        return found

    def settle(self, found: Verdict) -> Verdict:
        """Seals a fresh approval; lets a policy approve where the run says so."""
        stage = found.stage
        policy = self.policy(stage)
        if policy and self.may_decide(found):
            seal_by_policy(self.opened, found, policy)
            found = judge(self.opened, stage, time.time_ns())
            self.sealed = True
        if found.is_open:
            if found.fresh:
                seal_touch(self.opened, found)
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
        return (
            found.state is State.STALE and self.opened.run.offer(found.stage.key).is_file() and "→" not in found.reason
        )

    def prepare(self, stage: Stage) -> None:
        """Once a call, before Snakemake may delete what a stage published."""
        if stage.nr in self.prepared or not self.call.executing():
            return
        self.prepared.add(stage.nr)
        run = self.opened.run
        history.keep_current(self.opened, stage)
        if self.call.forced(stage) and not run.redo(stage.nr).exists():
            touch(run, run.redo(stage.nr))  # --forcerun asks for a new turn, not for the same one again
        if judge(self.opened, stage, time.time_ns()).state is State.DUE:
            # kept above; without them the stage is rebuilt whatever Snakemake still knows about it
            run.offer(stage.key).unlink(missing_ok=True)
            run.summary(stage.key).unlink(missing_ok=True)

    def targets(self, bring_up_to_date: Callable[[Stage], object]) -> list[Path]:
        """Every document up to each first gate that is closed."""
        self.begin()
        if self.is_aborted():
            return []
        wanted: list[Path] = []
        closed: set[str] = set()
        first: Verdict | None = None
        for stage in self.opened.table:
            if any(up.nr in closed for up in self.opened.table.ancestors(stage.nr)):
                closed.add(stage.nr)
                continue
            found = self.verdict(stage, bring_up_to_date)
            wanted.append(self.opened.run.summary(stage.key))
            if not found.is_open:
                closed.add(stage.nr)
                first = first or found
        self.closing_line = self.speaker.line(first) if first else self.speaker.done()
        self.finish()
        return wanted

    def inputs(self, stage: Stage, bring_up_to_date: Callable[[Stage], object]) -> tuple[list[Path], list[Path]]:
        """The approved documents a stage rests on, and their flags; an error where a gate is closed."""
        self.begin()
        if self.is_aborted():
            raise FlagstoneError(self.closing_line, hint="nothing was run")
        for up in self.opened.table.ancestors(stage.nr):
            found = self.verdict(up, bring_up_to_date)
            if not found.is_open:
                self.closing_line = self.speaker.line(found)
                raise FlagstoneError(f"stage {stage.nr} {stage.name} is behind a closed gate", hint=self.closing_line)
        self.prepare(stage)
        run = self.opened.run
        direct = [self.opened.table.stage(nr) for nr in stage.after]
        return [run.summary(up.key) for up in direct], [run.flag(up.nr) for up in direct]

    def request(self, stage: Stage) -> str:
        """What is asked of a stage now, as one word: when it changes, the stage runs again."""
        return asked(self.opened, stage).key

    def not_in_the_future(self, stage: Stage) -> None:
        """Snakemake fails a job, and deletes its outputs, over an input from the future."""
        run = self.opened.run
        for path in (run.flag(stage.nr), run.summary(stage.key)):
            if os.stat(path).st_mtime > time.time():
                os.utime(path)

    def finish(self) -> None:
        """Brings what is derived from the seals up to date."""
        if self.call.executing():
            if self.sealed:
                memory.write(self.opened)
                self.sealed = False
            self.opened.cache.save()
