"""What a build is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flagstone.artifacts.rules import WRITES_PAPER
from flagstone.errors import FlagstoneError
from flagstone.gates import RunConfig
from flagstone.layout import Run
from flagstone.paper.building.typesetting import Venue
from flagstone.settings import venue_fields
from flagstone.stages import Stage

# the files of a paper in its folder
PDF, LOG, MAIN, AUX, AUDIT = "paper.pdf", "build_log.txt", "main.tex", "aux", "audit.json"
DRAFT = "build"  # the folder in workspace/writing that an agent may build to


@dataclass(frozen=True)
class PaperOrder:
    """Which paper is built and where to. A draft may cite what nobody verified, and marks it."""

    opened: RunConfig
    stage: Stage
    out: Path
    is_draft: bool = False

    @property
    def run(self) -> Run:
        return self.opened.run

    @cached_property
    def venue(self) -> Venue:
        return Venue.of(venue_fields(self.run.pinned, self.opened.settings.venue))

    @property
    def is_of_campaign(self) -> bool:
        """Whether Flagstone made the ideas that the paper is about, so that it can make its tables too."""
        return self.stage.work == "paper"

    @property
    def ancestors(self) -> Sequence[str]:
        """The stages that the paper rests on."""
        return [stage.nr for stage in self.opened.table.ancestors(self.stage.nr)]

    def config_path(self, name: str) -> Path:
        """A file or folder of config/ as the run has pinned it; the project's own for a run of an earlier version."""
        pinned = self.run.pinned / name
        return pinned if pinned.exists() else self.opened.project.config / name

    @property
    def author(self) -> str:
        """Who is named as the author where the brief names nobody."""
        agent = self.opened.settings.for_stage(self.stage.nr).agent
        return "Flagstone demo agent (a script)" if agent == "demo" else f"An AI agent ({agent}) in a workflow of gates"


def paper_stage(opened: RunConfig) -> Stage:
    """The stage of a run that writes its paper."""
    for stage in opened.table:
        if WRITES_PAPER in stage.requires:
            return stage
    raise FlagstoneError(
        f"run {opened.run.name} writes no paper", hint=f"a stage does, if its table says requires: [{WRITES_PAPER}]"
    )
