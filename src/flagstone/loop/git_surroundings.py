"""What stands in a checkout beside the tracked files, such as data: runs see it through links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.loop.git_trees import Listing
from flagstone.loop.overlay import LEFT_OUT, SCRATCH
from flagstone.repository import Checkout

# what building, testing and editing leaves beside the sources: no run is shown it
LEFTOVERS = LEFT_OUT | {"build", "dist", "htmlcov", ".coverage", ".tox", ".nox", ".ruff_cache", ".hypothesis", ".idea"}


@dataclass(frozen=True)
class Surroundings:
    """The checkout at `root`. `asked` are the folders that runs write to, `outputs` what they are asked to leave;
    `own` is where the experiment lives."""

    root: Path
    asked: frozenset[str]
    outputs: frozenset[str]
    own: Path

    @cached_property
    def others(self) -> tuple[str, ...]:
        """Looked for once. A checkout that is gone or broken has none: candidates do not depend on it."""
        try:
            found = Checkout(self.root).others()
        except FlagstoneError:
            return ()
        return tuple(path for path in found if self.is_to_be_seen(path))

    def is_to_be_seen(self, path: str) -> bool:
        is_left = path.endswith(".pyc") or bool(LEFTOVERS & set(path.split("/")))
        return not is_left and not self.own.is_relative_to(self.root / path)

    def written_to(self, listing: Listing) -> frozenset[str]:
        """Paths that runs may leave things at; by default, those that training code is known to use."""
        told = {name.strip("/") for name in self.asked} | self.outputs
        # a folder with tracked files is written to only where the spec says so
        told |= {name for name in ([] if self.asked else SCRATCH) if name not in listing.folders}
        return frozenset(name for name in told if name not in listing.files)

    def scratch(self, listing: Listing) -> frozenset[str]:
        """Those that stand there as folders, empty, before a run."""
        asked = {name.strip("/") for name in self.asked}
        return frozenset(
            name
            for name in self.written_to(listing)
            if (self.root / name).is_dir() or (name in asked and not (self.root / name).is_file())
        )

    def links(self, listing: Listing) -> Mapping[str, str]:
        """What is linked, and where it points."""
        written_to = self.written_to(listing)
        return {
            path: str(self.root / path)
            for path in self.others
            if path not in listing.files
            and path not in listing.folders
            and path.rpartition("/")[0] in listing.folders
            and not any(path == name or path.startswith(f"{name}/") for name in written_to)
        }
