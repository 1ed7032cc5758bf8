"""Proposals that start from one of several good candidates instead of the best: a population on a few islands."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from flagstone.experiments.ledger import Entry
from flagstone.experiments.proposers.protocol import Proposed, Proposer, View

ISLANDS = 3
POOL = 8  # the best of an island
VISIT = 5  # every fifth run may take its parent from any island


@dataclass(frozen=True)
class PopulationProposer:
    """Lets another proposer edit a candidate that is drawn from the best of one island.

    A run belongs to the island of its number. Whether the edit is kept is decided as ever, against the best of all.
    """

    inner: Proposer

    def parent(self, view: View) -> Entry | None:
        """The run to start from. The same view gives the same one: a run that was killed starts there again."""
        pool = list(islice(without_duplicates(island_members(view)), POOL))
        weights = [novelty(view, entry) / rank for rank, entry in enumerate(pool, start=1)]
        return random.Random(f"{view.spec.seed} {view.number}").choices(pool, weights)[0] if pool else view.best

    def propose(self, view: View, draft: Path, record_dir: Path) -> Proposed:
        return self.inner.propose(view, draft, record_dir)


def island_members(view: View) -> list[Entry]:
    """The measured runs of the island that this run belongs to, the best first. The unedited files are on each."""
    is_visit, sign = view.number % VISIT == 0, 1 if view.spec.metric.direction == "min" else -1
    found = {
        each.run_id: each
        for each in (*view.entries, *([view.best] if view.best else []))
        if each.valid and each.value is not None
        if is_visit or each.is_baseline or each.number % ISLANDS == view.number % ISLANDS
    }
    return sorted(found.values(), key=lambda each: (sign * (each.value or 0.0), each.number))


def without_duplicates(entries: list[Entry]) -> Iterator[Entry]:
    """The first of those with the same files."""
    trees: set[str] = set()
    for entry in entries:
        if entry.tree not in trees:
            trees.add(entry.tree)
            yield entry


def novelty(view: View, entry: Entry) -> float:
    """From 1 to 2: the more lines differ from the best, the more often a candidate is drawn."""
    if view.best is None or view.best.tree == entry.tree:
        return 1.0
    lines = view.diff(view.best.tree, entry.tree).splitlines()
    differing = sum(line[:1] in ("+", "-") and line[:3] not in ("+++", "---") for line in lines)
    return 1.0 + min(1.0, differing / 100)
