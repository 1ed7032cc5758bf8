"""One look at a stage's workspace, shared by all the rules that judge it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flagstone.artifacts.before import TurnFacts, is_fresh
from flagstone.artifacts.entry import IndexEntry
from flagstone.artifacts.figures import FigureData, figure_registry, named_data
from flagstone.artifacts.formats import Unreadable, decode_text, read_bounded, regular_file
from flagstone.artifacts.index import describe_kind
from flagstone.layout import Run
from flagstone.records import DigestCache
from flagstone.stages import NamedFile

TEXT_LIMIT_BYTES = 4_000_000


@dataclass(frozen=True)
class StageCheck:
    """Everything that is needed to judge one attempt of one stage."""

    run: Run
    stage_nr: str
    stage_title: str
    draft_text_path: Path
    turn: TurnFacts
    requires: tuple[str, ...]
    cache: DigestCache
    leaves: tuple[NamedFile, ...] = ()
    venue: str = ""  # the run's venue; '' accepts any that the paper names
    makes_ideas: bool = False  # whether the run is a campaign, whose attempts make the arms of its trial


@dataclass
class Inspection:
    """Looks at each folder and file at most once, and only when a rule asks."""

    request: StageCheck
    described: dict[str, tuple[IndexEntry, ...]] = field(default_factory=dict)

    @property
    def run(self) -> Run:
        return self.request.run

    def entries(self, kind: str) -> tuple[IndexEntry, ...]:
        if kind not in self.described:
            self.described[kind] = describe_kind(self.run, kind, self.request.cache).entries
        return self.described[kind]

    def usable_entries(self, kind: str) -> list[IndexEntry]:
        """The files that can satisfy a requirement: readable, of the right format, with something in them."""
        return [entry for entry in self.entries(kind) if entry.is_usable]

    @cached_property
    def registry(self) -> dict[str, FigureData]:
        return dict(figure_registry(self.run))

    def drawn_from(self, figure: str) -> FigureData:
        return named_data(self.run, figure, self.registry)

    def is_fresh(self, path: str, digest: str) -> bool:
        return is_fresh(self.run, self.request.turn, path, digest)

    def text(self, path: str) -> str:
        """A text file of the run; raises Unreadable with the reason, also when it is empty."""
        if not (self.run.root / path).exists():
            raise Unreadable("does not exist")
        text = decode_text(read_bounded(self.run.root / path, self.run.root, TEXT_LIMIT_BYTES))
        if not text.strip():
            raise Unreadable("is empty")
        return text

    def digest(self, path: str) -> str:
        """Returns a file's digest, or '' if it is no plain file of the run."""
        try:
            real, _ = regular_file(self.run.root / path, self.run.root)
            return self.request.cache.digest(Path(real))
        except (Unreadable, OSError):
            return ""
