"""The edits that led to the best of an experiment, and how they are put onto another tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Store, Tree, changed_paths, merge_trees
from flagstone.experiments.ledger import Entry, entries_of
from flagstone.markers.folder import MarkerFolder
from flagstone.plans import Home


@dataclass(frozen=True)
class KeptEdit:
    """One edit that was kept: its run, and the trees before and after it."""

    entry: Entry
    before: Tree
    after: Tree

    @property
    def run_id(self) -> str:
        return self.entry.run_id

    @cached_property
    def paths(self) -> frozenset[str]:
        """The files that it changes."""
        return frozenset(changed_paths(self.before, self.after))


Group = tuple[KeptEdit, ...]


def last_experiment(folder: MarkerFolder) -> tuple[Home, list[tuple[Entry, Entry]]]:
    """The last experiment of a marker, and each kept run that led to its best, after the one it was edited from."""
    home = next((each for each in reversed(folder.homes) if each.ledger.exists()), None)
    rows = kept_runs(entries_of(home.ledger)) if home else []
    if home is None or not rows:
        found = "has no runs yet" if home is None else "has kept no edit since its last commit"
        raise FlagstoneError(
            f"there is nothing to finalize: marker {folder.name} {found}",
            hint=f"flagstone marker run {folder.name!r} makes runs; flagstone marker results shows them",
        )
    return home, rows


def kept_runs(entries: Iterable[Entry]) -> list[tuple[Entry, Entry]]:
    """From the unedited files to the best: each run that was kept, after the kept one that it was edited from."""
    by_run = {entry.run_id: entry for entry in entries}
    now = next((entry for entry in reversed(by_run.values()) if entry.improved), None)
    rows: list[tuple[Entry, Entry]] = []
    while now is not None and not now.is_baseline:
        before = by_run.get(now.base_run)
        while before is not None and not before.improved:
            before = by_run.get(before.base_run)
        if before is None:
            raise FlagstoneError(
                f"the ledger does not say what {now.run_id} was edited from", hint="restore it from a copy"
            )
        rows.insert(0, (before, now))
        now = before
    return rows


def keeps_of(rows: Iterable[tuple[Entry, Entry]], tree: Callable[[str], Tree]) -> Group:
    return tuple(KeptEdit(now, tree(before.tree), tree(now.tree)) for before, now in rows)


def put_onto(store: Store, group: Group, tree: Tree) -> Tree | None:
    """A tree with these edits, the earliest first. Returns None if one of them does not merge."""
    found: Tree | None = tree
    for keep in group:
        found = merge_trees(store, keep.before, keep.after, found) if found else None
    return found


def note_of(group: Group) -> str:
    runs = ", ".join(keep.run_id for keep in group)
    return f"the edit{'s' if len(group) > 1 else ''} of {runs}"
