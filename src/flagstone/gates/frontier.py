"""What the Snakefile asks about a run: which stages to build, what they rest on, where to stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.gates import history, repairs
from flagstone.gates.by_verdict import TrialCheck, explain, policy_of
from flagstone.gates.forecast import forecast
from flagstone.gates.judge import State, Verdict, judge_gates, may_policy_approve
from flagstone.gates.messages import Messages, say
from flagstone.gates.moment import Moment, is_refreshed, marks_of, read_moment
from flagstone.gates.names import other_names, take_up_names
from flagstone.gates.runs import (
    RunConfig,
    disk_fault,
    failure_of,
    is_begun,
    name_dropped_keys,
    note_arrival,
    refuse_unwritable,
)
from flagstone.gates.sealing import approve, seal_touch, touch
from flagstone.gates.turns import next_turn
from flagstone.locks import FileLock, hold, holder_of
from flagstone.plans import plan
from flagstone.records import write_record
from flagstone.seals import decision_now
from flagstone.stages import Stage

LOOK_AGAIN_S = 0.5  # after so long, a graph phase reads every listed file's marks again
BringUpToDate = Callable[[Stage], object]  # raises Snakemake's own exception until the stage is finished


@dataclass(frozen=True)
class Call:
    """How Snakemake was called: what may be changed on disk, and what a person forces."""

    executing: Callable[[], bool]
    forced: Callable[[Stage], bool]
    here: Path
    building: Callable[[], bool] = lambda: True
    is_local: Callable[[], bool] = lambda: True
    approve_all: str = ""
    say: Callable[[str], object] = say
    upto: str = ""
    profile: tuple[str, ...] = ()
    dry: Callable[[], bool] = lambda: False  # whether this call only says what it would do
    refresh: Callable[[RunConfig], object] = lambda opened: None  # what is derived from a run
    check_trial: TrialCheck = lambda opened, plan: "nobody has checked it"


@dataclass
class Frontier:
    """The gates of one run during one call of Snakemake."""

    opened: RunConfig
    call: Call
    closing_line: str = ""
    notices: list[str] = field(default_factory=list)
    lock: FileLock | None = None
    moment: Moment | None = None
    looked_at_s: float = 0.0
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    prepared: set[str] = field(default_factory=set)
    working_on: Stage | None = None
    is_done: bool = False
    is_due: bool = False

    @property
    def messages(self) -> Messages:
        return Messages(self.opened.run, self.call.here)

    def look(self) -> Moment:
        """The moment to decide on. It is read and judged anew if a file that decides has changed."""
        if self.moment is None or self.moment.marks != marks_of(self.opened):
            if self.lock:
                self.notices += take_up_names(self.opened)
            self.moment, self.looked_at_s = read_moment(self.opened), time.monotonic()
            if self.call.dry():
                self.moment, self.notices = forecast(self.opened.run, self.moment, self.policy)
            self.verdicts = judge_gates(self.moment)
        return self.moment

    def begin(self) -> None:
        """Before anything is judged: take the run's lock, and put right what a crash left."""
        if self.lock or not self.call.executing():
            return
        run = self.opened.run
        refuse_unwritable(run)
        self.lock = hold(run.lock, f"run {run.name}")
        for lock in (run.root / ".snakemake" / "locks").glob("*"):
            lock.unlink(missing_ok=True)  # we hold the run, so whoever left Snakemake's lock is dead
        self.notices += take_up_names(self.opened)  # before the arrival, which says which flags came with a copy
        write_record(run.last_profile, {"words": self.call.profile}, durable=False)
        note_arrival(run, self.opened.table, "opened")
        self.notices += repairs.repair_records(self.opened) + name_dropped_keys(self.opened)

    def is_aborted(self) -> bool:
        if self.opened.run.aborted.exists():
            self.closing_line = self.messages.abort_text()
            return True
        return False

    def settle(self, found: Verdict) -> Verdict:
        """Seals a fresh approval; lets a policy approve if the run says so."""
        if not self.call.executing():
            return found
        run, stage = self.opened.run, found.stage
        if may_policy_approve(found) and (policy := self.policy(stage)):
            decision = decision_now("policy", "policy", policy=policy)
            approve(run, found, decision)
            self.call.say(self.messages.approved_by_policy(stage, decision))
            self.look()
            found = self.verdicts[stage.nr]
        if found.is_open:
            if found.is_fresh:
                seal_touch(run, found)
                self.look()
            self.bring_back_from_the_future(stage)
        return found

    def policy(self, stage: Stage) -> str:
        return policy_of(self.opened, stage, self.call.approve_all, self.call.check_trial)

    def gate_text(self, found: Verdict) -> str:
        return self.messages.of_gate(explain(self.opened, found, self.call.check_trial))

    def prepare(self, stage: Stage) -> None:
        """Once a call, before Snakemake may delete what a stage published."""
        if stage.nr in self.prepared or not self.call.executing():
            return
        self.prepared.add(stage.nr)
        run = self.opened.run
        files = self.look().stages[stage.nr]
        is_due = self.verdicts[stage.nr].state is State.DUE
        is_being_changed = is_due and is_begun(run, stage.nr, self.turn_key(stage))
        history.keep_current(run, files, is_being_changed=is_being_changed)
        if self.call.forced(stage) and not run.redo(stage.nr).exists():
            touch(run, run.redo(stage.nr))  # --forcerun asks for a new turn, not for the same one again
            self.look()
        if self.verdicts[stage.nr].is_recalled and not holder_of(run.drafts(stage.nr) / ".lock"):
            self.notices += history.take_back_requests(self.opened, self.look().stages[stage.nr])
            self.look()
        if self.verdicts[stage.nr].state is State.DUE:
            # kept above; without them the stage is rebuilt whatever Snakemake still knows about it
            run.offer(stage.key).unlink(missing_ok=True)
            run.summary(stage.key).unlink(missing_ok=True)
            self.look()

    def prepare_reachable(self, stages: tuple[Stage, ...]) -> None:
        """Prepares every stage up to the first closed gates, before Snakemake has looked which files there are."""
        if not self.call.executing():
            return
        closed: set[str] = set()
        for stage in stages:
            if any(up.nr in closed for up in self.opened.table.ancestors(stage.nr)):
                continue
            self.prepare(stage)
            found = self.verdicts[stage.nr]
            if not (found.is_open or (may_policy_approve(found) and self.policy(stage))):
                closed.add(stage.nr)

    def targets(self, bring_up_to_date: BringUpToDate) -> list[Path]:
        """Every document up to each first gate that is closed."""
        self.begin()
        if self.is_aborted():
            return []
        if time.monotonic() - self.looked_at_s > LOOK_AGAIN_S:
            self.moment = None  # a person may have edited a listed file, which has no mark
        self.look()
        self.prepare_reachable(tuple(self.opened.table))
        self.closing_line = ""
        wanted: list[Path] = []
        for stage in self.opened.table:
            if self.verdicts[stage.nr].held_by:
                continue
            self.working_on = stage
            found = self.verdicts[stage.nr]
            # a report shows what is there
            if self.call.building() or self.opened.run.summary(stage.key).is_file():
                self.prepare(stage)
                bring_up_to_date(stage)
                found = self.settle(self.verdicts[stage.nr])
                wanted.append(self.opened.run.summary(stage.key))
            if not found.is_open:
                self.closing_line = self.closing_line or self.gate_text(found)
                self.is_due = self.is_due or found.state is State.DUE
            if stage.nr == self.call.upto:
                break
        self.is_done = not self.closing_line
        self.closing_line = self.closing_line or self.messages.done_text(self.call.upto)
        return wanted

    def inputs(self, stage: Stage, bring_up_to_date: BringUpToDate) -> tuple[list[Path], list[Path]]:
        """The approved documents a stage rests on, and their flags; an error if a gate is closed."""
        self.begin()
        if self.is_aborted():
            raise self.refusal(self.closing_line, "nothing was run")
        self.look()
        self.prepare_reachable((*self.opened.table.ancestors(stage.nr), stage))
        for up in self.opened.table.ancestors(stage.nr):
            bring_up_to_date(up)
            found = self.settle(self.verdicts[up.nr])
            if not found.is_open:
                raise self.refusal(f"stage {stage.nr} {stage.name} is behind a closed gate", self.gate_text(found))
        self.prepare(stage)
        self.working_on = stage
        run = self.opened.run
        direct = [self.opened.table.stage(nr) for nr in stage.after]
        flags = [run.flag(up.nr) for up in direct]  # in a dry run, a policy has made none
        return [run.summary(up.key) for up in direct], [flag for flag in flags if not self.call.dry() or flag.exists()]

    def refusal(self, problem: str, hint: str) -> FlagstoneError:
        """Why a document that was asked for cannot be had; these are the last words then."""
        self.closing_line, self.working_on = "", None
        return FlagstoneError(problem, hint=hint)

    def turn_key(self, stage: Stage) -> str:
        """What is asked of a stage now, as one word: when it changes, the stage runs again."""
        return next_turn(self.look(), stage).key

    def failure(self) -> dict[str, Any]:
        """How the stage that was last worked on failed, if it did."""
        stage = self.working_on
        if stage is None or self.closing_line:
            return {}
        found = failure_of(self.opened.run, stage.nr, self.turn_key(stage))
        return found or (dict(plan.failure_of(self.opened.run)) if stage.runs_experiments else {})

    def last_words(self) -> list[str]:
        """What a person should read last: what was mended, and where the run stands."""
        names = [other.words for other in other_names(self.opened)]
        seen = self.messages.with_paths
        notes = [f"note: {seen(notice)}" for notice in [*self.notices, *self.early_flags(), *names]]
        if self.opened.run.aborted.exists():
            return [*notes, self.messages.abort_text()]
        failure = self.failure()
        if failure:
            return [*notes, seen(str(failure.get("problem"))), seen(str(failure.get("hint")))]
        fault = disk_fault(self.opened.run) if self.call.executing() and not self.closing_line else None
        if fault:  # the job that failed could not write down why
            return [*notes, fault.problem, fault.hint]
        notes += self.messages.of_bundle() if self.is_done else []
        if self.closing_line or self.working_on is None:
            return notes + [line for line in [self.closing_line] if line]
        return [*notes, self.where_it_stopped(self.working_on)]

    def early_flags(self) -> list[str]:
        """The flags of stages that are not built yet. A person should hear of them before they count on them."""
        found = (verdict for verdict in self.verdicts.values() if verdict.state is State.NOT_YET and verdict.files.flag)
        return [f"stage {verdict.stage.nr} {verdict.stage.name} {verdict.reason}" for verdict in found]

    def where_it_stopped(self, stage: Stage) -> str:
        """What to say of the stage last looked at, if this call ended before it reached a gate."""
        self.look()
        found, name = self.verdicts[stage.nr], f"stage {stage.nr} {stage.name}"
        if found.is_open:
            return f"{name} is approved"
        if found.is_built:
            return self.gate_text(found)
        if self.call.executing() and is_begun(self.opened.run, stage.nr, self.turn_key(stage)):
            return f"{name} was stopped; the same command continues where it stopped"
        may_be_cut_off = self.call.executing() and stage.runs_experiments
        cut_off = plan.cut_off_text(self.opened.run, self.messages.path) if may_be_cut_off else ""
        return cut_off or f"{name} comes next: it would be built now"

    def keep_last_versions(self) -> None:
        """Publishes the last version of a stage again if Snakemake deleted it for a job that then failed."""
        for files in self.look().stages.values():
            if files.content is None and files.publication:
                history.republish(self.opened.run, files.stage, files.publication)

    def bring_back_from_the_future(self, stage: Stage) -> None:
        """Snakemake fails a job, and deletes its outputs, over an input from the future."""
        run = self.opened.run
        for path in (run.flag(stage.nr), run.summary(stage.key)):
            if os.stat(path).st_mtime > time.time():
                os.utime(path)

    def end(self) -> None:
        """Brings what is derived in step, and lets the run go, for whoever comes next."""
        if not self.lock:
            return
        with self.lock:
            try:
                self.keep_last_versions()
                if not is_refreshed(self.opened.run, self.look()):
                    self.call.refresh(self.opened)
            except FlagstoneError as error:  # the next call tries again
                self.notices.append(error.problem)
            self.opened.cache.save()
        self.lock = None
