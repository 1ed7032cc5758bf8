"""The loop of one experiment: proposals ahead, measurements beside each other, verdicts strictly in order."""

from __future__ import annotations

import errno
import queue
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

from flagstone.errors import FlagstoneError, Interrupted, WorkFailed
from flagstone.experiments.candidates import Candidate, Survey, Working, drop_records, kept_candidate, seed_for
from flagstone.experiments.engine import rebase
from flagstone.experiments.engine.judging import Judge
from flagstone.experiments.engine.opening import (
    OpenedExperiment,
    harness_of,
    refuse_if_tampered,
    slots_for,
)
from flagstone.experiments.engine.proposing import Proposals, baseline_candidate
from flagstone.experiments.engine.rival import early_stop_of
from flagstone.experiments.engine.session import SessionLimits, SessionMeter
from flagstone.experiments.ledger import Accounts, Entry, History, Scalars, best, derived, tail_of, verdict_lines
from flagstone.experiments.measuring import (
    FIRST,
    CheckName,
    Harness,
    Measurement,
    Order,
    refuse_if_unclean,
    refuse_if_unmeasured,
)
from flagstone.experiments.proposers import Proposer
from flagstone.locks import hold
from flagstone.plans import Home, Spec, command_of, run_id
from flagstone.processes import Interruption, end_orphans
from flagstone.records import cannot_write

Prepared = tuple[Candidate, Measurement | None]


@contextmanager
def engine_of(
    opened: OpenedExperiment,
    proposer: Proposer | None,
    say: Callable[[str], None],
    accounts: Accounts | None = None,
    *,
    tells_interruptions: bool = True,
) -> Iterator[Engine]:
    """The only engine of an experiment, after it has mended what a crash left."""
    home = opened.home
    with hold(home.lock, f"experiment {home.name}"), Interruption() as interruption:
        refuse_if_unclean(home)
        end_orphans(str(home.root))
        refuse_if_tampered(opened)
        refuse_if_unmeasured(opened.spec)
        history = History.read(home)
        history.refuse_if_broken()
        engine = Engine(
            opened=opened,
            history=history,
            harness=harness_of(opened, interruption, say),
            working=Working(home, opened.subject),
            proposer=proposer,
            say=say,
            accounts=accounts or Accounts(home),
            scalars=Scalars(home),
            slots=slots_for(opened.spec.lag),
            survey=opened.subject.survey(opened.base.tree),
            meter=SessionMeter.begin(SessionLimits(), history.progress),
            tells_interruptions=tells_interruptions,
        )
        try:
            engine.mend()
            yield engine
            opened.subject.close()
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise
            raise cannot_write(home.root, error) from error


@dataclass(frozen=True)
class Engine:
    """One experiment under way. `slots` number the folders where its runs are laid out, one run in each.

    An interrupted run gets its line in the ledger if a person interrupted it: with `tells_interruptions`, or with
    `experiment stop`. Otherwise it is done again. `lines` gives what a person reads about a verdict.
    """

    opened: OpenedExperiment
    history: History
    harness: Harness
    working: Working
    proposer: Proposer | None
    say: Callable[[str], None]
    accounts: Accounts
    scalars: Scalars
    slots: queue.SimpleQueue[int]
    survey: Survey
    meter: SessionMeter
    tells_interruptions: bool = True
    lines: Callable[[Home, Entry, Spec], Iterable[str]] = verdict_lines

    def mend(self) -> None:
        """Brings everything that is derived from the ledger in line with it."""
        opened, history = self.opened, self.history
        best.restore(opened.home, opened.spec, opened.subject, history.progress.best)
        derived.repair(opened.home, opened.spec, history)
        if history.recent:
            self.accounts.note_missing(history.recent[-1])
        self.working.settle(self.best_tree, history.progress.number)

    @property
    def again_command(self) -> str:
        return command_of(self.opened.home, "run" if self.proposer else "step")

    @property
    def next_number(self) -> int:
        return self.history.progress.number + 1

    @property
    def best_tree(self) -> str:
        now = self.history.progress.best
        return now.tree if now else self.opened.base.tree

    def ended_by(self) -> str:
        """Why there is nothing more to do: a condition that holds, or a person's wish."""
        return self.history.reason_to_end(self.opened.spec)

    def run(self, limit: int | None = None, session: SessionLimits | None = None) -> str:
        """Runs until a condition fires, `limit` runs are done, or the session has used up its limits; says why."""
        meter = SessionMeter.begin(session or SessionLimits(), self.history.progress)
        return replace(self, meter=meter).go_on(limit)

    def go_on(self, limit: int | None) -> str:
        spec = self.opened.spec
        last = self.history.progress.number + limit if limit is not None else None
        pending: dict[int, Future[Prepared]] = {}
        with ThreadPoolExecutor(max_workers=spec.lag) as pool:
            try:
                return self.until_the_end(partial(self.top_up, pool, pending), pending, last)
            finally:
                for future in pending.values():
                    future.cancel()
                if pending:
                    self.harness.interruption.ask()
                self.working.restore(self.best_tree)

    def until_the_end(
        self,
        top_up: Callable[[int | None], None],
        pending: dict[int, Future[Prepared]],
        last: int | None,
    ) -> str:
        while not (ended := self.ended_by()):
            number = self.next_number
            if self.harness.interruption.is_asked:
                raise Interrupted("stopped between two runs", hint=f"continue: {self.again_command}")
            if last is not None and number > last:
                return ""
            if ended := self.meter.end_reason(self.history.progress, self.opened.spec):
                return ended
            self.accounts.refuse_if_spent(self.opened.spec.harness.gpus)
            top_up(last)
            candidate, first = pending.pop(number).result()
            if candidate.is_exhausted:
                return "proposals"
            if candidate.is_fatal:
                raise WorkFailed(candidate.fault, hint="fix that, then run the same command again")
            self.halt_on(self.conclude(candidate, first))
        return ended

    def top_up(self, pool: ThreadPoolExecutor, pending: dict[int, Future[Prepared]], last: int | None) -> None:
        """Starts every proposal whose earlier verdicts are there; until there is a best, only the unedited files."""
        number, lag = self.next_number, self.opened.spec.lag
        final = number if self.history.progress.best is None else number + lag - 1
        for ahead in range(number, final + 1):
            if ahead in pending or (last is not None and ahead > last):
                continue
            pending[ahead] = pool.submit(self.prepare, self.proposal(ahead))

    def proposal(self, number: int) -> Callable[[], Candidate]:
        """A proposal yet to be made; what it may know is settled now, not when its turn comes."""
        if self.history.progress.best is None:
            return partial(baseline_candidate, self.opened, number)
        kept = kept_candidate(self.opened.home.run(run_id(number)))
        if kept is not None:
            return lambda: kept
        if self.proposer is None:
            raise FlagstoneError(
                "this experiment has no proposer (proposer: none)",
                hint=f"edit {self.opened.home.working} and give: {command_of(self.opened.home, 'step')}",
            )
        proposals = Proposals(self.opened, self.proposer, self.history, self.meter, self.say)
        return partial(proposals.candidate, proposals.view(number))

    def prepare(self, make: Callable[[], Candidate]) -> Prepared:
        """A candidate and its first measurement; in a thread of its own."""
        with self.harness.proposal_turn():
            candidate = make()
        if candidate.fault or candidate.snapshot.violations or candidate.is_exhausted:
            return candidate, None
        return candidate, self.measure(self.order(candidate, "first"))

    @contextmanager
    def slot(self) -> Iterator[int]:
        """Waits for a free slot: their number limits how many runs go on at once."""
        slot = self.slots.get()
        try:
            yield slot
        finally:
            self.slots.put(slot)

    def measure(self, order: Order) -> Measurement:
        with self.slot() as slot:
            return self.harness.measure(replace(order, slot=slot))

    def check(self, order: Order, name: CheckName) -> tuple[Measurement, ...]:
        with self.slot() as slot:
            return self.harness.check(name, replace(order, slot=slot))

    def order(self, candidate: Candidate, part: str) -> Order:
        """What the harness is asked for, on the seed that every candidate has first."""
        run_dir = self.opened.home.run(run_id(candidate.number))
        watch = early_stop_of(self.opened, candidate, self.say) if part in FIRST else None
        return Order(run_dir, candidate.snapshot.tree, part, seed_for(self.opened.spec.seed, 0), early_stop=watch)

    def conclude(self, candidate: Candidate, first: Measurement | None) -> Entry:
        """The verdict: its line in the ledger first, then everything that follows from it."""
        candidate, first = self.on_the_best(candidate, first)
        is_told = self.tells_interruptions or self.opened.home.stop.exists()
        if first is not None and first.status == "interrupted" and not is_told:
            raise Interrupted(f"{run_id(candidate.number)} was interrupted", hint=f"continue: {self.again_command}")
        entry = self.record(self.judge_of(candidate).entry(first))
        self.follow(entry)
        return entry

    def record(self, judged: Entry) -> Entry:
        """Writes the line of a verdict."""
        entry = replace(judged, project_changes=self.survey.changes())
        self.history.append(entry)
        self.survey.note()
        for line in self.lines(self.opened.home, entry, self.opened.spec):
            self.say(line)
        return entry

    def on_the_best(self, candidate: Candidate, first: Measurement | None) -> Prepared:
        """With `rebase`, an edit of an older parent is put onto the best, and that is measured."""
        moved = rebase.rebased_candidate(self.opened, candidate, first, self.history.progress.best)
        if moved is None:
            return candidate, first
        return moved, self.measure(self.order(moved, "rebased"))

    def judge_of(self, candidate: Candidate) -> Judge:
        own = self.order(candidate, "guard")

        def measure(tree: str, part: str, seed: int) -> Measurement:
            found = self.measure(replace(own, tree=tree, part=part, seed=seed))
            if found.status == "interrupted":
                # no verdict: what is measured already stays, and the next engine goes on from there
                raise Interrupted(f"{own.run.root.name} was interrupted", hint=f"continue: {self.again_command}")
            return found

        return Judge(self.opened, self.history.progress, candidate, measure, partial(self.check, own))

    def follow(self, entry: Entry) -> None:
        """What is derived from a verdict; a kill in here is mended by the next engine."""
        opened = self.opened
        if entry.verdict == "advance":
            best.promote(opened.home, opened.spec, opened.subject, entry)
        if opened.spec.checkpoint:
            recent = (each.run_id for each in self.history.recent)
            best.remove_checkpoints(opened.home, opened.spec.checkpoint.keep_checkpoints, entry, recent)
        derived.append_derived(opened.home, opened.spec, entry)
        self.scalars.add(entry, opened.spec)
        self.accounts.note(entry)
        (self.working.follow if self.proposer else self.working.restore)(self.best_tree)
        # the last ones stay: proposals ahead look at them, and a ledger that lost its last line goes on from them
        drop_records(opened.home.run(run_id(entry.number - opened.spec.lag)))

    def halt_on(self, entry: Entry) -> None:
        """Some verdicts end the loop: nothing that follows could be believed, or a person asked."""
        if entry.status == "interrupted":
            raise Interrupted(f"{entry.run_id} was interrupted", hint=f"continue: {self.again_command}")
        if entry.status == "unclean" or entry.reason.startswith("tampered"):
            raise WorkFailed(f"{entry.run_id}: {entry.reason}", hint=f"fix that, then continue: {self.again_command}")
        if not entry.parent_run and not entry.improved:
            said = f"the unedited files do not run: {entry.reason}\n{tail_of(self.opened.home, entry, 12)}"
            if entry.refused_by == "hidden":
                said = f"the unedited files do not pass the hidden check: see {entry.beside[-1].log}"
            raise WorkFailed(said, hint=f"fix them, then run: {self.again_command}")
