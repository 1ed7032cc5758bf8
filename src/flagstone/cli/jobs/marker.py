"""Which sessions `snakemake marker_results --config marker=PATH:NAME,…` runs, and what each of them needs."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.markers import (
    Marker,
    MarkerFolder,
    marker_named,
    read_markers,
    repository_called,
    status_of,
)

DAY_MIN = 24 * 60
SPARE_MIN = 10  # to start, to load and to write down


@dataclass(frozen=True)
class MarkerSessions:
    """The next session of each marker that was asked for. Words are read from `here`."""

    words: str
    here: Path

    @functools.cached_property
    def markers(self) -> dict[str, Marker]:
        """The markers by the file that their next session makes. That name is free until the session has ended."""
        found = [marker for word in self.words.split(",") for marker in self.markers_of(word.strip())]
        if not found:
            raise FlagstoneError(
                "no marker is active in what marker= names",
                hint="snakemake marker_results --cores 4 --config marker=PATH:NAME,…",
            )
        return {str(next_table(marker)): marker for marker in found}

    def markers_of(self, word: str) -> list[Marker]:
        """The marker PATH:NAME, or every active one of PATH."""
        if not word:
            return []
        place, _, name = word.rpartition(":")
        if place:
            return [marker_named(repository_called(as_path(place), self.here), name or None)]
        repository = repository_called(as_path(word), self.here)
        return [each for each in read_markers(repository).markers if status_of(each) == "active"]

    def threads(self, table: str) -> int:
        return max(1, self.markers[table].loop.parallel)

    def needs(self, table: str) -> Mapping[str, int]:
        """GPUs and minutes of one session. A scheduler ends what takes longer; the next session goes on from there."""
        marker = self.markers[table]
        wall_s = marker.loop.budgets.wall_s
        longest = DAY_MIN if wall_s is None else math.ceil(wall_s / 60)
        return {"gpu": int(marker.run.get("gpus", 0)) * self.threads(table), "runtime": SPARE_MIN + longest}


def as_path(word: str) -> str:
    """A folder that is there is meant as one; any other word is the name of a known repository."""
    return f"./{word}" if not os.path.isabs(word) and os.path.isdir(word) else word


def next_table(marker: Marker) -> Path:
    """Where the next session leaves the results so far: the first number that no session has used."""
    folder = MarkerFolder.of(marker.repository, marker.name).tables
    number = 1
    while (folder / f"{number}.tsv").exists():
        number += 1
    return folder / f"{number}.tsv"
