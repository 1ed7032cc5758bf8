"""The name of every path below the folder of a marker."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from flagstone.layout import path_below
from flagstone.plans import FOLDER, Home

MARKERS = "markers"


@dataclass(frozen=True)
class MarkerFolder:
    """`.flagstone/markers/<marker>/`: one experiment for each base commit, and what belongs to all of them."""

    root: Path
    repository: Path

    @property
    def name(self) -> str:
        return self.root.name

    # who runs a session of this marker
    lock = path_below("lock")
    # the status that `pause`, `skip` and a halt have set; it counts instead of the one in the marker file
    status = path_below("status.json")
    # the session that goes on, or that was killed: at which experiment it ends
    session = path_below("session.json")
    # what was tried, what was kept and why, with pictures; it may be deleted
    summary = path_below("summary.html")
    # what people would like to be tried, and the failed runs that they dropped
    ideas = path_below("ideas.json")
    # what `serve` knows of the schedule: what is done, and how often it failed
    schedule = path_below("schedule.json")
    # what each session printed
    logs = path_below("logs")
    # all results up to a session that Snakemake ran, one file for each such session
    tables = path_below("tables")

    def home(self, number: int) -> Home:
        return Home(self.root / str(number), self.repository)

    @property
    def homes(self) -> tuple[Home, ...]:
        """Every experiment of this marker, the oldest first."""
        try:
            numbers = sorted(int(name) for name in os.listdir(self.root) if name.isdigit())
        except OSError:
            return ()
        return tuple(self.home(number) for number in numbers)

    @staticmethod
    def of(repository: Path, name: str) -> MarkerFolder:
        return MarkerFolder(repository / FOLDER / MARKERS / name, repository)
