"""A stored edit: its tree, where it came from, and what is known of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flagstone.plans import RunFolder, unused_path
from flagstone.records import read_record, write_record


@dataclass(frozen=True)
class Snapshot:
    """A stored tree: its commit, what it changed, and what it changed without being allowed to."""

    tree: str
    commit: str
    violations: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A stored edit. `fault` says why it is not run; `parent_run` is '' for the base."""

    number: int
    parent_run: str
    parent_tree: str
    snapshot: Snapshot
    note: str = ""
    fault: str = ""
    is_exhausted: bool = False
    is_fatal: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def base_run(self) -> str:
        """The run that the whole edit was made from: of a rework, the one before the idea."""
        return str((self.facts.get("base") or {}).get("run") or self.parent_run)

    @property
    def base_tree(self) -> str:
        return str((self.facts.get("base") or {}).get("tree") or self.parent_tree)

    def keep(self, run: RunFolder) -> None:
        """Written before anything is run, so that a restart asks no agent twice."""
        # what cost nothing is sooner proposed again, after a power cut, than synced every time
        is_dear = "outcome" in self.facts
        if run.proposal.exists():  # of an agent that was ahead of a person, who put in an edit of their own
            os.rename(run.proposal, unused_path(run.proposal))
        taken = self.snapshot
        snapshot = {**vars(taken), "violations": list(taken.violations), "changed": list(taken.changed)}
        write_record(run.proposal, {**vars(self), "snapshot": snapshot, "facts": dict(self.facts)}, durable=is_dear)


def kept_candidate(run: RunFolder) -> Candidate | None:
    """The candidate that a run was proposed with, if that was finished."""
    record = read_record(run.proposal)
    try:
        if record is None:
            return None
        row = record["snapshot"]
        snapshot = Snapshot(row["tree"], row["commit"], tuple(row["violations"]), tuple(row["changed"]))
        return Candidate(**{**record, "snapshot": snapshot})
    except (KeyError, TypeError):
        return None


def drop_records(run: RunFolder) -> None:
    """Removes what was written down while a run was under way, once it has a verdict. Its edited files stay.

    What names more than the verdict does stays, and so does all that an earlier version left: it has no such files.
    """
    made = kept_candidate(run)
    shown = made.snapshot.changed if made and not made.snapshot.violations else ()
    if not shown or not all(os.path.lexists(run.root / path) for path in shown):
        return
    for name in os.listdir(run.root):
        if name == run.proposal.name or (name.startswith("measured-") and name.endswith(".json")):
            os.unlink(run.root / name)
