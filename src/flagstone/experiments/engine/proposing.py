"""From a view of the experiment to a stored candidate: a private copy, the proposer, and a look at what it changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from typing import Any

from flagstone.agents import strength
from flagstone.experiments.candidates import Candidate, Snapshot
from flagstone.experiments.engine.opening import OpenedExperiment, facts_of, with_arguments
from flagstone.experiments.engine.session import SessionMeter, left, smallest
from flagstone.experiments.engine.shadowing import shadowing_problems
from flagstone.experiments.ledger import NO_PROPOSAL, Entry, History, find_entry, tail_of
from flagstone.experiments.measuring import is_confined
from flagstone.experiments.proposers import Proposer, View, start_of
from flagstone.plans import Spec, run_id, unused_path


@dataclass(frozen=True)
class Proposals:
    """Asks the proposer for one run after the other. `history` is only looked at when a view is made."""

    opened: OpenedExperiment
    proposer: Proposer
    history: History
    meter: SessionMeter
    say: Callable[[str], None]

    def view(self, number: int) -> View:
        """What proposal `number` may know: the verdicts up to `number - lag`, and at least the baseline's."""
        spec, done = self.opened.spec, self.history.progress.number
        later = max(0, done - max(number - spec.lag, 1))
        recent = list(self.history.recent)
        entries = recent[: len(recent) - later]
        best = self.history.progress.best if later == 0 else self.best_after(entries)
        home, diff, rework = self.opened.home, self.opened.subject.diff, run_to_rework(spec, entries)
        return View(
            number=number,
            spec=self.within_budget(spec, is_rework=rework is not None),
            home=home,
            entries=entries,
            best=best,
            diff=diff,
            tail=partial(tail_of, home),
            say=self.say,
            failures=self.failures_after(entries) if later else self.history.progress.failures,
            rework=rework,
            tokens=self.tokens_left(),
            touched_in=self.opened.subject.touched_in,
        )

    def failures_after(self, entries: list[Entry]) -> int:
        """Those since the last gain, as it was after these runs; or since a halt, also one that came after them."""
        halt = max((each.number for each in self.history.recent if each.has_halted), default=0)
        since = takewhile(lambda each: not each.improved and each.number > halt, reversed(entries))
        return sum(each.is_failure for each in since)

    def tokens_left(self) -> int | None:
        """What one call may use of what is left, shared with those that are under way."""
        now, limit = self.history.progress, self.opened.spec.stopping.tokens
        found = smallest(left(limit, now.tokens), self.meter.tokens_left(now))
        return None if found is None else int(found / self.opened.spec.lag)

    def best_after(self, entries: list[Entry]) -> Entry | None:
        """The best as it was after these runs."""
        name, now = entries[-1].best_run if entries else "", self.history.progress.best
        if now is None or not name:
            return None
        near = (entry for entry in [now, *reversed(entries)] if entry.run_id == name)
        return next(near, None) or find_entry(self.opened.home.ledger, name)

    def within_budget(self, spec: Spec, *, is_rework: bool) -> Spec:
        """One proposal may cost what is left, shared with those that are under way, or what a rework may."""
        now, asked = self.history.progress, spec.agent
        all_left = smallest(left(spec.stopping.cost_usd, now.cost_usd), self.meter.usd_left(now))
        share = None if all_left is None else all_left / spec.lag
        own = asked.rework_cost_usd if is_rework and asked.rework_cost_usd is not None else asked.cost_usd
        return replace(spec, agent=replace(asked, cost_usd=smallest(share, own)))

    def may_follow_links(self) -> bool:
        """Whether a draft may lead to the project: only for an agent that runs programs, and that the kernel holds."""
        spec = self.opened.spec
        return spec.agent.mode == "work" and is_confined(spec)

    def is_writing_reported(self) -> bool:
        """Whether the kernel reports every write in a draft: those of an agent that the whole sandbox holds."""
        spec = self.opened.spec
        return spec.has_agent and spec.sandbox != "off" and strength().keeps_names

    def rework_facts(self, refused: Entry) -> dict[str, Any]:
        """What stands in the ledger of a rework: the run it goes on from, and the one that the idea was made from."""
        base = refused.proposal.get("base")
        if base is None:
            parent = find_entry(self.opened.home.ledger, refused.parent_run)
            base = {"run": refused.parent_run, "tree": parent.tree if parent else self.opened.base.tree}
        return {"fixes": refused.run_id, "rework": refused.reworks + 1, "base": base}

    def shadowing(self, taken: Snapshot) -> Iterator[str]:
        """What an edit would have a command import in place of Python's own, where commands read the number."""
        base, now = (self.opened.subject.tree(each.tree).files for each in (self.opened.base, taken))
        return shadowing_problems(base, now) if self.opened.spec.metric.backend == "command" else iter(())

    def candidate(self, view: View) -> Candidate:
        """The proposal for one run, stored."""
        run = self.opened.home.run(run_id(view.number))
        view = replace(view, start=start_of(self.proposer, view))
        before = view.parent
        parent = Snapshot(before.tree, before.commit) if before else self.opened.base
        if run.draft.exists():
            os.rename(run.draft, unused_path(run.draft))  # an unfinished one stays beside it
        subject, links = self.opened.subject, self.may_follow_links()
        subject.lay_out(parent.tree, subject.draft(run), links=links, is_trusted=self.is_writing_reported())
        proposed = self.proposer.propose(view, run.draft, run.root / "agent")
        facts = {**proposed.facts, **(self.rework_facts(view.rework) if view.rework else {"level": view.level.value})}
        if facts.get("tokens", 0) is None and view.tokens is not None:
            facts["tokens_at_most"] = view.tokens
        if facts.get("cost_usd", 0) is None:
            facts["cost_at_most_usd"] = view.spec.agent.cost_usd
        parent_run = before.run_id if before else ""
        ends = bool(facts.get("exhausted"))
        if proposed.is_fatal or ends:
            made = Candidate(view.number, parent_run, parent.tree, parent, fault=proposed.failure, facts=facts)
            return replace(made, is_exhausted=ends, is_fatal=not ends)
        taken = self.opened.subject.take(run.draft, parent, proposed.note or run_id(view.number), view.number)
        taken = replace(taken, violations=(*proposed.violations, *taken.violations, *self.shadowing(taken)))
        facts = with_arguments(facts, self.opened, taken.tree)
        fault = proposed.failure and f"{NO_PROPOSAL}: {proposed.failure}"
        if not fault and taken.tree == parent.tree and not taken.violations:
            fault = f"{NO_PROPOSAL}: nothing was changed"
        made = Candidate(view.number, parent_run, parent.tree, taken, proposed.note, fault, facts=facts)
        self.opened.subject.show(run, taken)
        made.keep(run)
        if not taken.violations:
            self.opened.subject.release(run)
        return made


def run_to_rework(spec: Spec, entries: list[Entry]) -> Entry | None:
    """The last of these runs, if the guard refused it and its idea may be reworked once more."""
    last = entries[-1] if entries else None
    is_refused = last is not None and last.refused_by == "guard" and not last.is_baseline
    return last if last is not None and is_refused and last.reworks < spec.rework else None


def baseline_candidate(opened: OpenedExperiment, number: int) -> Candidate:
    """The unedited files: the first run of every experiment."""
    base, run = opened.base, opened.home.run(run_id(number))
    made = Candidate(number, "", base.tree, base, "baseline", facts=facts_of(opened, base.tree))
    opened.subject.show(run, base)
    made.keep(run)
    return made
