"""One job of Snakemake that decides: a step of a trial, from the records of its runs to the next step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.ledger import head_of
from flagstone.locks import hold
from flagstone.plans import TrialFolder, TrialPlan, place_of
from flagstone.records import Ledger, read_as, read_record, utc, write_record
from flagstone.trials.lines import IdeaLine, Line
from flagstone.trials.planning import baseline_of, refuse_if_hopeless
from flagstone.trials.reporting import write_derived
from flagstone.trials.running.ending import finish, reveal, verdict_line
from flagstone.trials.running.judging import StepJudge, baseline_facts
from flagstone.trials.running.measuring import first_run
from flagstone.trials.running.opening import START, OpenedTrial, begin_trial, beginning_anew, open_trial, way_on_text
from flagstone.trials.running.records import RunRecord, TrialRun, record_of
from flagstone.trials.running.state import TrialState
from flagstone.trials.running.steps import TrialStep, next_step
from flagstone.trials.sealing import (
    Prereg,
    SharedBasis,
    basis_of,
    difference_of_facts,
    difference_text,
    next_number,
    seal_prereg,
    sealed_seeds,
    wait_for_viewers,
)

RUN_AGAIN = "run it again; if it says the same again, `flagstone trials verify` tells which file was changed"
IdeaMaker = Callable[[OpenedTrial, TrialStep], IdeaLine]


def take_step(
    plan: TrialPlan, number: int, schemas: Path, say: Callable[[str], None], attempt: IdeaMaker | None = None
) -> None:
    """Decides step `number`, if it has not been, and writes down which one comes next. Step 0 begins the trial.

    `attempt` makes the code of an idea in a campaign.
    """
    with hold(plan.folder.lock, f"trial {plan.name}", wait=True):
        opened = begin_trial(plan, schemas) if number == 0 else open_trial(plan, schemas)
        with beginning_anew(opened):
            StepJob(opened, say, attempt).take(number)


@dataclass(frozen=True)
class StepJob:
    """A step under way. The ledger is written first; everything else follows from it."""

    opened: OpenedTrial
    say: Callable[[str], None]
    attempt: IdeaMaker | None = None

    @property
    def folder(self) -> TrialFolder:
        return self.opened.folder

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder.ledger)

    def take(self, number: int) -> None:
        refuse_if_broken(self.folder, number)
        shared = self.shared_basis()
        self.note_arms()
        step = next_step(self.opened.spec, self.opened.state())
        self.refuse_if_behind(number, step)
        if number and step.number == number:
            self.decide(step, shared)
            step = next_step(self.opened.spec, self.opened.state())
        if step.what == "verdict":
            line = verdict_line(self.judge(step))
            self.ledger.append(line)
            self.say(f"verdict: {line.outcome}{f', {line.reason}' if line.reason else ''}")
            step = next_step(self.opened.spec, self.opened.state())
        if step.what == "done":
            reveal(self.folder)
        write_derived(self.folder, self.opened.spec)
        if step.what == "done":
            finish(self.opened, self.opened.state(), head_of(self.folder.ledger))
        write_record(self.folder.look(number), self.look_record(number, step, shared))
        self.folder.failure.unlink(missing_ok=True)

    def refuse_if_behind(self, number: int, step: TrialStep) -> None:
        """A step is decided only after the ones before it: a ledger that lacks one of them has lost lines."""
        if step.number < number:
            raise FlagstoneError(
                f"{self.folder.ledger} has no line of step {step.number}, which was decided",
                hint="restore it from a copy; or start over: remove the folder looks beside it, and run again",
            )

    def shared_basis(self) -> SharedBasis:
        """What all runs hold for. It must be what the trial began with, or its numbers could not be compared."""
        start, sealed = self.opened.start, read_as(self.folder.prereg, Prereg)
        if sealed and (sealed.baseline.tree, sealed.shared) != (start.tree, start.shared):
            raise self.edited_start(self.folder.prereg.name)
        now = self.opened.basis_now()
        if change := difference_text(self.folder, now, start.shared):
            raise FlagstoneError(f"trial {self.opened.plan.name} cannot go on: {change}", hint=way_on_text(self.opened))
        return now

    def edited_start(self, other: str) -> FlagstoneError:
        return FlagstoneError(
            f"trial {self.opened.plan.name} began with other files than {START} names now: {other} has their digests",
            hint=f"restore {self.folder.root / START} from a copy, or set up a new trial",
        )

    def note_arms(self) -> None:
        """The arms of a plan, in the ledger: once, before anything is run."""
        spec, known = self.opened.spec, self.opened.state().story.ideas
        for idea in map(self.opened.idea_of, spec.arms):
            if idea.arm in known and known[idea.arm].tree != idea.tree:
                raise self.edited_start(self.folder.ledger.name)
            if idea.arm not in known:
                self.ledger.append(idea)

    def judge(self, step: TrialStep) -> StepJudge:
        return StepJudge(self.opened, self.opened.state(), step, utc(time.time()))

    def decide(self, step: TrialStep, shared: SharedBasis) -> None:
        if step.what in ("verdict", "done"):
            return
        if step.what == "attempt":
            assert self.attempt is not None
            self.ledger.append(self.attempt(self.opened, step))
            return
        for line in self.new_runs(step, shared):
            self.ledger.append(line)
        if self.opened.state().was_tampered_with:
            return
        for look in self.judge(step).lines():
            self.ledger.append(look)
        if step.what == "baseline":
            state = self.opened.state()
            self.refuse_if_hopeless(state, shared)
            wait_for_viewers(self.folder, self.say)
            seal_prereg(self.folder, self.opened.spec, shared, baseline_facts(self.opened, state))

    def refuse_if_hopeless(self, state: TrialState, shared: SharedBasis) -> None:
        """Now that the noise is known, and before the plan is sealed."""
        spec = self.opened.spec
        baseline = baseline_of(state.story.baseline_runs(len(spec.screening)), state.is_deterministic)
        if state.story.prereg is None:
            where = place_of(self.opened.plan.path, self.opened.plan.text, "underpowered")
            refuse_if_hopeless(spec, baseline, next_number(self.folder, spec, shared.contract), where)

    def new_runs(self, step: TrialStep, shared: SharedBasis) -> Iterator[Line]:
        """The runs of the step that are not in the ledger."""
        known = self.opened.state().story.runs
        for wanted in self.run_orders(step, shared):
            record = record_of(self.folder, wanted)
            if record is None:
                path = self.folder.record(wanted.arm, wanted.slot)
                path.unlink(missing_ok=True)  # it holds for something else, and is kept beside the run
                raise WorkFailed(f"there is no record of {wanted.name} that holds for this step", hint=RUN_AGAIN)
            self.refuse_another_environment(record)
            line = known.get((wanted.arm, wanted.slot))
            if line is None or line.basis != wanted.basis:
                yield record.line

    def refuse_another_environment(self, record: RunRecord) -> None:
        """Runs of one trial may be made on several machines, all of which have to be set up alike."""
        first = first_run(self.folder)
        if first and record.environment not in ("", first.environment):
            change = "; ".join(difference_of_facts(self.folder, record.environment, first.environment))
            raise FlagstoneError(
                f"{record.arm}-{record.slot} ran in another environment than {first.arm}-{first.slot}: {change}",
                hint=way_on_text(self.opened),
            )

    def run_orders(self, step: TrialStep, shared: SharedBasis) -> Iterator[TrialRun]:
        """The runs of a step, each with what its number has to hold for."""
        sealed, spec = sealed_seeds(self.folder), self.opened.spec
        for arm, slot in step.runs:
            is_sealed = slot.startswith("b")
            if is_sealed and sealed is None:
                raise FlagstoneError(
                    f"the confirmation seeds of trial {self.opened.plan.name} are gone",
                    hint=f"restore {self.folder.sealed} from a copy: seeds that were sealed are never drawn again",
                )
            seed = sealed.word(slot) if sealed and is_sealed else str(spec.seed_of(slot))
            basis = basis_of(shared, self.opened.tree(arm), self.opened.arm(arm), seed)
            yield TrialRun(arm, slot, basis.digest)

    def look_record(self, number: int, following: TrialStep, shared: SharedBasis) -> dict[str, Any]:
        rows = [vars(wanted) for wanted in self.run_orders(following, shared)]
        return {
            "plan": self.opened.plan.digest,
            "step": number,
            "next": {"number": following.number, "what": following.what, "arms": following.arms, "runs": rows},
            "ledger": head_of(self.folder.ledger),
        }


def refuse_if_broken(folder: TrialFolder, number: int) -> None:
    """No line may follow on a ledger that was rewritten, or that has lost lines since the step before `number`."""
    ledger = folder.ledger
    found = Ledger(ledger).rewritten_lines()
    earlier = (read_record(folder.look(number - 1)) or {}).get("ledger")
    if not found and earlier and earlier[0] and tuple(earlier) != head_of(ledger, earlier[0]):
        found = [f"{ledger.name} has lost lines since step {number - 1} ended"]
    if not found and folder.prereg.exists() and not ledger.exists():
        found = [f"{ledger.name} is gone, and the trial was pre-registered in it"]
    if found:
        raise FlagstoneError("; ".join(found[:3]), hint=f"restore {ledger} from a copy, then run again")
