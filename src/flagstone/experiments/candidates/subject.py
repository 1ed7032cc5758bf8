"""What an experiment edits: the one protocol of the two kinds of subject."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from flagstone.plans import RunFolder, unused
from flagstone.records import read_record, write_record


@dataclass(frozen=True)
class Snapshot:
    """A stored candidate: its tree, its commit, what it changed, and what it changed without being allowed to."""

    tree: str
    commit: str
    violations: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class Subject(Protocol):
    """Lays candidates out as files, and takes files as candidates."""

    def base(self) -> Snapshot:
        """The tree everything starts from, stored."""
        ...

    def notices(self, base: Snapshot) -> tuple[str, ...]:
        """What a person should know of the tree that everything starts from."""
        ...

    def place(self, run: RunFolder, slot: int) -> Path:
        """Where a run's pristine copy is laid out: a folder of its own, or one that is used again."""
        ...

    def draft(self, run: RunFolder) -> Path:
        """Where the private copy of a run's proposer is laid out."""
        ...

    def release(self, run: RunFolder) -> None:
        """The draft of a run is stored: its folder may become that of a later one."""
        ...

    def lay_out(self, tree: str, folder: Path) -> None:
        """Exactly this tree in the folder, whatever stood there."""
        ...

    def take(self, folder: Path, parent: Snapshot, note: str, number: int) -> Snapshot:
        """What stands in the folder now, stored as a candidate."""
        ...

    def links(self, tree: str) -> Mapping[str, str]:
        """What is only linked beside a tree, and where it leads: the project as it is now."""
        ...

    def paths(self, tree: str) -> Iterable[str]:
        """Every file of a tree that stands in a folder as itself."""
        ...

    def is_written(self, path: str) -> bool:
        """Whether runs leave such a file, so that it is part of no candidate."""
        ...

    def mutable_in(self, folder: Path) -> Iterable[str]:
        """The files there that may change, as far as they can be told without a look at the project."""
        ...

    def diff(self, before: str, after: str) -> str:
        """The difference of two trees as text."""
        ...

    def restore(self, tree: str, folder: Path) -> None:
        """The working folder back to a tree; links stay links, modes are kept."""
        ...

    def files(self, tree: str) -> Mapping[str, bytes]:
        """The content of the files that may change."""
        ...


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

    def keep(self, run: RunFolder) -> None:
        """Written before anything is run, so that a restart asks no agent twice."""
        # what cost nothing is sooner proposed again, after a power cut, than synced every time
        is_dear = "outcome" in self.facts
        if run.proposal.exists():  # of an agent that was ahead of a person, who put in an edit of their own
            os.rename(run.proposal, unused(run.proposal))
        taken = self.snapshot
        snapshot = {**vars(taken), "violations": list(taken.violations), "changed": list(taken.changed)}
        write_record(run.proposal, {**vars(self), "snapshot": snapshot, "facts": dict(self.facts)}, durable=is_dear)


def kept_candidate(run: RunFolder) -> Candidate | None:
    """The candidate that a run was proposed with, if that was finished."""
    record = read_record(run.proposal)
    try:
        if record is None:
            return None
        told = record["snapshot"]
        snapshot = Snapshot(told["tree"], told["commit"], tuple(told["violations"]), tuple(told["changed"]))
        return Candidate(**{**record, "snapshot": snapshot})
    except (KeyError, TypeError):
        return None
