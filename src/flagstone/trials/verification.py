"""Whether a trial is what it says: everything is derived again from its ledger and its records, and compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.ledger import head_of
from flagstone.plans import TrialPlan
from flagstone.records import Ledger, content_of, digest_bytes, read_as, read_record
from flagstone.text import list_text
from flagstone.trials.lines import Line, LookLine, PreregLine, VerdictLine
from flagstone.trials.reporting import NOT_DERIVED, derived_problems
from flagstone.trials.run_proof import OTHER_FILES, RunProof, difference_in
from flagstone.trials.running import (
    START,
    OpenedTrial,
    StepJudge,
    TrialState,
    TrialStep,
    baseline_facts,
    changed_lines,
    next_step,
    open_trial,
    verdict_line,
)
from flagstone.trials.sealing import FAULT, Prereg, edit_text, prereg_problems
from flagstone.trials.story import lines_in


def trial_problems(plan: TrialPlan, schemas: Path) -> list[str]:
    """Everything about a trial that does not follow from its ledger and its records, in words. Empty if all does."""
    folder = plan.folder
    found = Ledger(folder.ledger).rewritten_lines()
    try:
        lines = tuple(lines_in(folder.ledger))
        if any(isinstance(line, PreregLine) for line in lines):
            found += filter(None, [edit_text(folder, lines)])
        proof = Proof(open_trial(plan, schemas), lines)
        found += [*proof.problems(), *derived_problems(folder, proof.opened.spec)]
    except FlagstoneError as error:
        found.append(error.problem)
    return list(dict.fromkeys(found))


def trial_fault(plan: TrialPlan, schemas: Path) -> str:
    """Why the verdict of a trial is not what was recorded, in one line. Returns '' if it is.

    Pages and pictures are left out: another version of Flagstone words and draws the same numbers in another way.
    So are the copies of the files that were run, which a program may write to: their originals are in the store.
    """
    left_out = re.compile(rf"\.(md|html|svg) {NOT_DERIVED}$|^the folder of \S+ {OTHER_FILES}: ")
    return list_text([problem for problem in trial_problems(plan, schemas) if not left_out.search(problem)], 2)


@dataclass(frozen=True)
class Proof:
    """One trial, line by line: each has to follow from those before it."""

    opened: OpenedTrial
    lines: tuple[Line, ...]

    def problems(self) -> Iterator[str]:
        """A part that cannot be read keeps no other from being looked at."""
        runs = RunProof(self.opened, self.lines)
        for part in (
            self.start_problems, self.tree_problems, self.line_problems, runs.problems, self.state_problems
        ):  # fmt: skip
            try:
                yield from part()
            except FlagstoneError as error:
                yield error.problem

    def line_problems(self) -> Iterator[str]:
        for number, line in enumerate(self.lines):
            before = TrialState(self.lines[:number])
            if isinstance(line, LookLine):
                yield from self.look_problems(line, before)
            elif isinstance(line, VerdictLine):
                yield from self.verdict_problems(line, before)

    def look_problems(self, line: LookLine, before: TrialState) -> Iterator[str]:
        """A look has to be the one that was due, and to come to the same from the same runs."""
        title = f"look {line.step} ({line.what}{f' of {line.arm}' if line.arm else ''})"
        due = next_step(self.opened.spec, before)
        if (due.number, due.what) != (line.step, line.what) or not set(due.runs) <= set(keys_in(line)):
            yield f"{title} was not due: look {due.number} ({due.what}) was"
            return
        arms = (line.arm,) if line.arm else tuple(each.arm for each in line.looks)
        judge = StepJudge(self.opened, before, TrialStep(line.step, line.what, arms, keys_in(line)), line.at)
        try:
            derived = [*judge.lines()]
        except (KeyError, ValueError, FlagstoneError):
            yield f"{title} names runs that are not in the ledger, or failed"
            return
        difference = difference_in(without_fault(line), without_fault(derived[0])) if derived else "it decides nothing"
        if difference:
            yield f"{title} does not follow from its runs: {difference}"

    def verdict_problems(self, line: VerdictLine, before: TrialState) -> Iterator[str]:
        due = next_step(self.opened.spec, before)
        if due.what != "verdict":
            yield f"the verdict came before look {due.number} ({due.what})"
            return
        difference = difference_in(line, verdict_line(StepJudge(self.opened, before, due, line.at)))
        if difference:
            yield f"the verdict does not follow from the looks: {difference}"
        done = read_record(self.opened.folder.done)
        if done and (done.get("outcome"), done.get("exploratory")) != (str(line.outcome), line.exploratory):
            yield f"{self.opened.folder.done.name} has another outcome than the verdict"

    def start_problems(self) -> Iterator[str]:
        """How the trial began, as start.json and the pre-registration say it."""
        opened, start, state = self.opened, self.opened.start, TrialState(self.lines)
        yield from prereg_problems(opened.folder, opened.spec, self.lines)
        if opened.contract.digest(start.files) != start.contract:
            yield f"the contract in {START} is not that of its files"
        found = read_as(opened.folder.prereg, Prereg)
        if found and state.baseline:
            derived = {"baseline": baseline_facts(opened, state), "shared": start.shared}
            if difference := difference_in({"baseline": found.baseline, "shared": found.shared}, derived):
                yield f"{opened.folder.prereg.name} does not fit the baseline of the ledger and {START}: {difference}"

    def tree_problems(self) -> Iterator[str]:
        """The trees of the control and of each arm, as start.json, the ledger and the store name them."""
        opened, start, subject = self.opened, self.opened.start, self.opened.subject
        story = TrialState(self.lines).story
        for arm in opened.spec.arms:
            if arm.name in story.ideas and (difference := difference_in(story.ideas[arm.name], opened.idea_of(arm))):
                yield f"arm {arm.name} in the ledger is not what the plan and {START} say: {difference}"
        commits = {"the control": (start.commit, start.tree)}
        commits |= {f"arm {name}": (idea.commit, idea.tree) for name, idea in story.ideas.items() if idea.tree}
        for name, (commit, tree) in commits.items():
            if subject.store.repository.tree_of(commit) != tree:
                yield f"{name} has another tree than its commit in {opened.folder.store.name}"
        for name, idea in story.ideas.items():
            if idea.tree and changed_lines(subject.diff(start.tree, idea.tree)) != idea.lines:
                yield f"arm {name} does not change {idea.lines} lines, as the ledger says"

    def state_problems(self) -> Iterator[str]:
        """What each step, and the end, saw of the ledger; and the results that were handed out."""
        folder = self.opened.folder
        done = read_record(folder.done) or {}
        looks = {f"look {path.stem}": read_record(path) or {} for path in sorted(folder.look(0).parent.glob("*.json"))}
        for name, record in {**looks, folder.done.name: done}.items():
            head = record.get("ledger") or (0,)
            if head[0] and tuple(head) != head_of(folder.ledger, head[0]):  # 0: there was no ledger yet
                yield f"{folder.ledger.name} is not the one that {name} saw"
        for path, digest in done.get("exports", {}).items():
            place = self.opened.plan.base / path
            is_inside = place.resolve().is_relative_to(
                self.opened.plan.base.resolve()
            )  # a stranger's may name any file
            if not is_inside or digest_bytes(content_of(place) or b"") != digest:
                yield f"{path} is not what the trial handed out"


def keys_in(line: LookLine) -> tuple[tuple[str, str], ...]:
    """The runs that a look names, as arm and slot."""
    parts = (name.rpartition("-") for name in line.runs)
    return tuple((arm, slot) for arm, _, slot in parts)


def without_fault(line: LookLine) -> LookLine:
    """What was wrong with the pre-registration at that time cannot be derived now."""
    return replace(line, facts={name: fact for name, fact in line.facts.items() if name != FAULT})
