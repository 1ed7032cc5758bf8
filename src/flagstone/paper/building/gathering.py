"""Gathers everything that a paper says, before it is typeset, with the checks of each part."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.artifacts.rules import RuleCheck
from flagstone.paper.building.appendix import AppendixRequest, appendix_of
from flagstone.paper.building.order import PaperOrder
from flagstone.paper.building.typesetting import ABSTRACT, Manuscript, sections_check, written_sources
from flagstone.paper.facts import build_facts, build_tables, make_figures, write_facts, write_tables
from flagstone.records import write_if_changed

APPENDIX, REFERENCES, FACTS = "appendix.tex", "references.bib", "facts.tex"
TABLES, FIGURES = "tables", "figures"


@dataclass(frozen=True)
class PaperContent:
    """What LaTeX is to read, by its path, and what is known about it."""

    files: Mapping[str, bytes]
    checks: tuple[RuleCheck, ...]
    notices: tuple[str, ...] = ()
    written: Mapping[str, bytes | None] = field(default_factory=dict)

    @property
    def has_references(self) -> bool:
        return REFERENCES in self.files

    @property
    def has_appendix(self) -> bool:
        return APPENDIX in self.files

    @property
    def abstract(self) -> str:
        return text_of(self.written.get(ABSTRACT))

    @property
    def sections(self) -> str:
        return "\n".join(text_of(content) for path, content in self.written.items() if path != ABSTRACT)


def text_of(content: bytes | None) -> str:
    return (content or b"").decode("utf-8", "replace")


def gather(order: PaperOrder, manuscript: Manuscript) -> PaperContent:
    run, out = order.run, order.out
    written = written_sources(run.writing, manuscript)
    book = build_facts(run)
    tables, figures = build_tables(run, book), make_figures(run, out)
    write_facts(book, out)
    write_tables(tables, out)
    drop_others(out / TABLES, {f"{name}.tex" for name in tables.tex})
    appendix = appendix_of(AppendixRequest(run, order.ancestors, is_anonymous=order.venue.anonymous))
    write_if_changed(out / APPENDIX, appendix.tex.encode())
    files = {path: content or b"" for path, content in written.items()}
    made = (APPENDIX, FACTS, *(f"{TABLES}/{name}.tex" for name in tables.tex))
    files |= {name: (out / name).read_bytes() for name in made}
    files |= {f"{FIGURES}/{pdf.name}": pdf.read_bytes() for pdf in figures.pdfs}
    checks = (sections_check(run.writing, written), *book.checks, *figures.checks, *appendix.checks)
    return PaperContent(files, checks, written=written)


def drop_others(folder: Path, names: Collection[str]) -> None:
    """Removes what an earlier build made and this one did not."""
    for path in folder.glob("*"):
        if path.name not in names:
            path.unlink()
