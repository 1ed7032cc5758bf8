"""How one tree is laid out: for a person, for runs, and without anything that leads to the project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from flagstone.experiments.candidates.laying import Layout
from flagstone.experiments.candidates.sources import Written


@dataclass(frozen=True)
class Placement:
    """How a tree is laid out, what runs write to beside it, and what may change though no glob names it.

    `repository` is what git finds in a run; empty if it finds none. `results` are files that runs write anew.
    """

    layout: Layout
    written: Written
    also_mutable: frozenset[str]
    repository: str
    results: frozenset[str] = frozenset()

    @cached_property
    def of_runs(self) -> Layout:
        """The layout in which programs are run."""
        own = {".git": self.repository} if self.repository else {}
        files = {path: blob for path, blob in self.layout.files.items() if path not in self.results}
        return replace(self.layout, files=files, links={**self.layout.links, **own})

    @cached_property
    def without_links(self) -> Layout:
        return replace(self.layout, links={})
