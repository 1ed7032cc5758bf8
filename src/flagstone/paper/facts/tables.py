"""Tables with numbers, rendered from facts and from the rows of results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.layout import Run
from flagstone.paper.facts.fact import FactBook
from flagstone.records import write_atomic


@dataclass(frozen=True)
class Tables:
    """The LaTeX of each table by name, the texts with digits that they print, and what is wrong with tables.yaml."""

    tex: Mapping[str, str] = field(default_factory=dict)
    printed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)


def build_tables(run: Run, book: FactBook) -> Tables:
    """The tables of a run's paper."""
    return Tables()


def write_tables(tables: Tables, out: Path) -> None:
    """Writes tables/NAME.tex for each table. The same facts and rows give the same bytes."""
    for name, text in tables.tex.items():
        write_atomic(out / "tables" / f"{name}.tex", text.encode())
