"""From a view of the experiment to a stored candidate: a private copy, the proposer, and a look at what it changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from flagstone.experiments.candidates import Candidate, Snapshot
from flagstone.experiments.engine.opening import OpenedExperiment
from flagstone.experiments.ledger import NO_PROPOSAL, Entry, History, find_entry, tail_of
from flagstone.experiments.measuring import is_confined
from flagstone.experiments.proposers import Proposer, View
from flagstone.plans import Spec, run_id, unused_path


@dataclass(frozen=True)
class Proposals:
    """Asks the proposer for one run after the other. `history` is only looked at when a view is made."""

    opened: OpenedExperiment
    proposer: Proposer
    history: History
    say: Callable[[str], None]

    def view(self, number: int) -> View:
        """What proposal `number` may know: the verdicts up to `number - lag`, and at least the baseline's."""
        spec, done = self.opened.spec, self.history.progress.number
        later = max(0, done - max(number - spec.lag, 1))
        recent = list(self.history.recent)
        entries = recent[: len(recent) - later]
        best = self.history.progress.best if later == 0 else self.best_after(entries)
        home, diff = self.opened.home, self.opened.subject.diff
        return View(number, self.within_budget(spec), home, entries, best, diff, partial(tail_of, home), self.say)

    def best_after(self, entries: list[Entry]) -> Entry | None:
        """The best as it was after these runs."""
        name, now = entries[-1].best_run if entries else "", self.history.progress.best
        if now is None or not name:
            return None
        near = (entry for entry in [now, *reversed(entries)] if entry.run_id == name)
        return next(near, None) or find_entry(self.opened.home.ledger, name)

    def within_budget(self, spec: Spec) -> Spec:
        """One proposal may cost what is left, shared with those that are under way."""
        limit = spec.stopping.cost_usd
        if limit is None:
            return spec
        left = max(limit - self.history.progress.cost_usd, 0.0) / spec.lag
        allowed = spec.agent.cost_usd
        return replace(spec, agent=replace(spec.agent, cost_usd=left if allowed is None else min(left, allowed)))

    def may_follow_links(self) -> bool:
        """Whether a draft may lead to the project: only for an agent that runs programs, and that the kernel holds."""
        spec = self.opened.spec
        return spec.agent.mode == "work" and is_confined(spec)

    def candidate(self, view: View) -> Candidate:
        """The proposal for one run, stored."""
        run = self.opened.home.run(run_id(view.number))
        parent = Snapshot(view.best.tree, view.best.commit) if view.best else self.opened.base
        if run.draft.exists():
            os.rename(run.draft, unused_path(run.draft))  # an unfinished one stays beside it
        self.opened.subject.lay_out(parent.tree, self.opened.subject.draft(run), links=self.may_follow_links())
        proposed = self.proposer.propose(view, run.draft, run.root / "agent")
        facts = dict(proposed.facts)
        if facts.get("cost_usd", 0) is None:
            facts["cost_at_most_usd"] = view.spec.agent.cost_usd
        parent_run = view.best.run_id if view.best else ""
        ends = bool(facts.get("exhausted"))
        if proposed.is_fatal or ends:
            made = Candidate(view.number, parent_run, parent.tree, parent, fault=proposed.failure, facts=facts)
            return replace(made, is_exhausted=ends, is_fatal=not ends)
        taken = self.opened.subject.take(run.draft, parent, proposed.note or run_id(view.number), view.number)
        fault = proposed.failure and f"{NO_PROPOSAL}: {proposed.failure}"
        if not fault and taken.tree == parent.tree and not taken.violations:
            fault = f"{NO_PROPOSAL}: nothing was changed"
        made = Candidate(view.number, parent_run, parent.tree, taken, proposed.note, fault, facts=facts)
        self.opened.subject.show(run, taken)
        made.keep(run)
        if not taken.violations:
            self.opened.subject.release(run)
        return made
