"""The text that a source prints, in one line of characters: what stands side by side in the PDF does so here."""

from __future__ import annotations

import bisect
import itertools
import re
from dataclasses import dataclass, replace
from functools import cached_property

from flagstone.paper.linting.place import SourcePlace

# one character each for what Flagstone prints; no source may hold them
FACT, LITERAL, REFERENCE, CITATION, BREAK = "\ue000", "\ue001", "\ue002", "\ue003", "\ue004"
SENTENCE_END = re.compile(r"[.!?](?=\s)|\n[ \t]*\n|[\ue004]")


@dataclass(frozen=True)
class Piece:
    """Characters that one part of the source prints. `formula` numbers the formulas of a text; 0 is none."""

    text: str
    place: SourcePlace
    formula: int = 0
    key: str = ""


@dataclass(frozen=True)
class PrintedText:
    """What one file prints, with the place of each character."""

    pieces: tuple[Piece, ...]

    @cached_property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @cached_property
    def starts(self) -> list[int]:
        return [0, *itertools.accumulate(len(piece.text) for piece in self.pieces)]

    def piece_at(self, offset: int) -> Piece:
        return self.pieces[bisect.bisect_right(self.starts, offset) - 1]

    def place_at(self, offset: int) -> SourcePlace:
        """The place of a character; a piece may go over several lines."""
        number = bisect.bisect_right(self.starts, offset) - 1
        place = self.pieces[number].place
        lines = bisect.bisect_left(self.newlines, offset) - bisect.bisect_left(self.newlines, self.starts[number])
        return replace(place, line=place.line + lines) if lines else place

    @cached_property
    def newlines(self) -> list[int]:
        return [found.start() for found in re.finditer("\n", self.text)]

    def sentence_at(self, offset: int) -> tuple[int, int]:
        """Where the sentence around a character starts and ends."""
        number = bisect.bisect_right(self.sentence_ends, offset)
        start = self.sentence_ends[number - 1] if number else 0
        end = self.sentence_ends[number] if number < len(self.sentence_ends) else len(self.text)
        return start, end

    @cached_property
    def sentence_ends(self) -> list[int]:
        return [found.end() for found in SENTENCE_END.finditer(self.text)]
