"""What the source of a paper says: every fact, literal, claim and citation in it, with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from flagstone.paper.linting.place import SourceFault, SourcePlace
from flagstone.paper.linting.printed_text import PrintedText


@dataclass(frozen=True)
class FactUse:
    """`\\val{key}`."""

    key: str
    place: SourcePlace


@dataclass(frozen=True)
class LiteralUse:
    """`\\lit{printed}{reason}`."""

    printed: str
    reason: str
    place: SourcePlace


@dataclass(frozen=True)
class ClaimUse:
    """`\\claim{id}{text}`: its words, the facts that it prints, and what it cites."""

    id: str
    text: str
    facts: tuple[str, ...]
    cites: tuple[str, ...]
    place: SourcePlace


@dataclass(frozen=True)
class CitationUse:
    """One key of a `\\cite`, with the sentence around it."""

    key: str
    sentence: str
    place: SourcePlace


@dataclass(frozen=True)
class ReferenceUse:
    """One label of a `\\ref` or its like."""

    label: str
    place: SourcePlace


@dataclass(frozen=True)
class FigureUse:
    """The file that an `\\includegraphics` names."""

    path: str
    place: SourcePlace


@dataclass(frozen=True)
class TableUse:
    """A table of tables.yaml, where `\\input{tables/name}` puts it."""

    name: str
    place: SourcePlace


@dataclass(frozen=True)
class PaperSource:
    """All files of the agent's, parsed once.

    `links` are the printed addresses, whose digits nobody has to declare. `numbered` counts what LaTeX numbers without
    a trace in its .aux file: `footnote`, `equation`, theorems by their name. `items` are the lengths of the numbered
    lists.
    """

    uses: tuple[FactUse, ...] = ()
    literals: tuple[LiteralUse, ...] = ()
    claims: tuple[ClaimUse, ...] = ()
    citations: tuple[CitationUse, ...] = ()
    references: tuple[ReferenceUse, ...] = ()
    figures: tuple[FigureUse, ...] = ()
    tables: tuple[TableUse, ...] = ()
    links: tuple[LiteralUse, ...] = ()
    items: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()
    numbered: Counter[str] = field(default_factory=Counter)
    texts: tuple[PrintedText, ...] = ()
    faults: tuple[SourceFault, ...] = ()


def joined_source(parts: Iterable[PaperSource]) -> PaperSource:
    """One source of several files."""
    whole = PaperSource()
    for part in parts:
        sums = {name: getattr(whole, name) + getattr(part, name) for name in PaperSource.__dataclass_fields__}
        whole = PaperSource(**sums)
    return whole
