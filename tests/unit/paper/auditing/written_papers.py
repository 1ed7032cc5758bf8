"""Papers as an agent writes them, parsed by the lint, built with pdflatex in a plain layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import built_papers

from flagstone.paper.auditing import AuditReport, PaperParts, audit_pdf, expected_of
from flagstone.paper.facts import Fact, FactBook, Figures, Tables, write_facts
from flagstone.paper.linting import lint_rules, read_sources

ROOT = Path(__file__).parents[4]
PREAMBLE = r"""\usepackage[utf8]{inputenc}\usepackage{mathptmx,amsmath,amssymb,graphicx,booktabs}
\DeclareUnicodeCharacter{2009}{\,}
\makeatletter
\@ifundefined{theorem}{\newtheorem{theorem}{Theorem}}{}\@ifundefined{lemma}{\newtheorem{lemma}{Lemma}}{}
\@ifundefined{proof}{\newenvironment{proof}{\par Proof. }{}}{}
\makeatother
%s
\usepackage{hyperref}\usepackage{cleveref}
\input{facts}\providecommand{\claim}[2]{#2}
"""


@dataclass(frozen=True)
class WrittenPaper:
    """Sections, and what Flagstone would make beside them."""

    body: str
    facts: dict[str, str] = field(default_factory=dict)
    document_class: str = "\\documentclass{article}"
    preamble: str = ""
    front: str = "\\title{A small study}\\author{Nobody}\\date{}\\maketitle\n"
    bibliography: str = ""
    tables: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    figures: tuple[Path, ...] = ()


def build(folder: Path, paper: WrittenPaper) -> Path:
    (folder / "sections").mkdir(parents=True, exist_ok=True)
    (folder / "sections" / "text.tex").write_text(paper.body)
    book = book_of(paper)
    write_facts(book, folder)
    for name, (tex, _) in paper.tables.items():
        (folder / "tables").mkdir(exist_ok=True)
        (folder / "tables" / f"{name}.tex").write_text(tex)
    head = paper.document_class + PREAMBLE % paper.preamble
    end = ""
    if paper.bibliography:
        (folder / "references.bib").write_text(paper.bibliography)
        style = "plainnat" if "natbib" in paper.preamble else "plain"
        end = f"\\bibliographystyle{{{style}}}\\bibliography{{references}}\n"
    body = f"\\begin{{document}}{paper.front}\\input{{sections/text}}\n{end}\\end{{document}}\n"
    (folder / "main.tex").write_text(head + body)
    return built_papers.compile_whole(folder, "main")


def book_of(paper: WrittenPaper) -> FactBook:
    return FactBook({key: Fact(key, printed, printed) for key, printed in paper.facts.items()})


def audit(folder: Path, paper: WrittenPaper) -> AuditReport:
    """The audit of a paper that was built there."""
    source = read_sources(folder, lint_rules(ROOT / "config", ROOT / "schemas"))
    printed = {name: tuple(texts) for name, (_, texts) in paper.tables.items()}
    tables = Tables({name: tex for name, (tex, _) in paper.tables.items()}, printed)
    parts = PaperParts(source, book_of(paper), tables, Figures([], paper.figures))
    return audit_pdf(folder / "main.pdf", expected_of(parts, folder))
