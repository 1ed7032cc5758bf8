"""What the walk through one file notes: the characters that are printed, the uses, the faults."""

from __future__ import annotations

import bisect
import re
from collections import Counter
from dataclasses import replace

from flagstone.paper.linting.place import SourceFault, SourcePlace
from flagstone.paper.linting.printed_text import FACT, Piece, PrintedText
from flagstone.paper.linting.source import (
    CitationUse,
    ClaimUse,
    FactUse,
    FigureUse,
    LiteralUse,
    PaperSource,
    ReferenceUse,
    TableUse,
)


class SourceNotes:
    """The notes of one file. A scene is the place of what is visited, apart from its line and section."""

    def __init__(self, tex: str, start: SourcePlace) -> None:
        self.newlines = [found.start() for found in re.finditer("\n", tex)]
        self.start = start
        self.section = start.section
        self.formula = 0
        self.pieces: list[Piece] = []
        self.faults: list[SourceFault] = []
        self.uses: list[FactUse] = []
        self.literals: list[LiteralUse] = []
        self.claims: list[tuple[str, int, int, SourcePlace]] = []
        self.cites: list[tuple[str, int, SourcePlace]] = []
        self.references: list[ReferenceUse] = []
        self.figures: list[FigureUse] = []
        self.tables: list[TableUse] = []
        self.links: list[LiteralUse] = []
        self.items: list[int] = []
        self.labels: list[str] = []
        self.numbered: Counter[str] = Counter()

    def place(self, position: int, scene: SourcePlace) -> SourcePlace:
        line = self.start.line + bisect.bisect_left(self.newlines, position)
        return replace(scene, line=line, section=self.section)

    def fault(self, position: int, scene: SourcePlace, message: str) -> None:
        self.faults.append(SourceFault(self.place(position, scene), message))

    def emit(self, text: str, position: int, scene: SourcePlace, key: str = "") -> None:
        if text:
            formula = self.formula if scene.mode != "text" else 0
            self.pieces.append(Piece(text, self.place(position, scene), formula, key))

    def printed_since(self, first: int) -> str:
        return plain_text("".join(piece.text for piece in self.pieces[first:]))

    def source(self) -> PaperSource:
        """Everything that was noted."""
        text = PrintedText(tuple(self.pieces))
        return PaperSource(
            uses=tuple(self.uses),
            literals=tuple(self.literals),
            claims=tuple(self.claim_use(*claim) for claim in self.claims),
            citations=tuple(
                CitationUse(key, plain_text(text.text[slice(*text.sentence_at(text.starts[number]))]), place)
                for key, number, place in self.cites
            ),
            references=tuple(self.references),
            figures=tuple(self.figures),
            tables=tuple(self.tables),
            links=tuple(self.links),
            items=tuple(self.items),
            labels=tuple(self.labels),
            numbered=self.numbered,
            texts=(text,),
            faults=tuple(self.faults),
        )

    def claim_use(self, name: str, first: int, last: int, place: SourcePlace) -> ClaimUse:
        pieces = self.pieces[first:last]
        facts = tuple(piece.key for piece in pieces if piece.text == FACT)
        cites = tuple(key for key, number, _ in self.cites if first <= number < last)
        return ClaimUse(name, plain_text("".join(piece.text for piece in pieces)), facts, cites, place)


def plain_text(text: str) -> str:
    return " ".join(text.split())
