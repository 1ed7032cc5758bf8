"""What digit strings a built paper may show, and where each of them comes from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.paper.auditing.digits import digits_printed
from flagstone.paper.auditing.latex_files import LatexNumbers, read_latex_files
from flagstone.paper.facts import FactBook, Figures, Tables
from flagstone.paper.linting import PaperSource

LARGEST_IN_FORMULAS = 12
WHOLE = re.compile(r"[0-9]+")
ANY = ""  # a number that only its place tells


@dataclass(frozen=True)
class ExpectedDigits:
    """Digit strings by their source, each as often as it is printed.

    `on_pages` has the numbers of sections and floats by the label of their page. `lists` has numbers that count in
    their place alone, by kind: `item`, `equation`, theorems by name; the number "" stands for any. A paper cites by
    number (`citations`) or by year (`years`). `figures` are the PDFs that are included.
    """

    facts: Counter[str] = field(default_factory=Counter)
    literals: Counter[str] = field(default_factory=Counter)
    tables: Counter[str] = field(default_factory=Counter)
    generated: Counter[str] = field(default_factory=Counter)
    formulas: Counter[str] = field(default_factory=Counter)
    structure: Counter[str] = field(default_factory=Counter)
    citations: Counter[str] = field(default_factory=Counter)
    years: Counter[str] = field(default_factory=Counter)
    bibliography: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    on_pages: Mapping[str, Counter[str]] = field(default_factory=dict)
    lists: Mapping[str, Counter[str]] = field(default_factory=dict)
    headings: tuple[str, ...] = ()
    figures: tuple[Path, ...] = ()


@dataclass(frozen=True)
class PaperParts:
    """What a paper is made of. `generated` are other texts that Flagstone prints: title, authors, notices, appendix."""

    source: PaperSource
    book: FactBook = field(default_factory=FactBook)
    tables: Tables = field(default_factory=Tables)
    figures: Figures = field(default_factory=lambda: Figures([]))
    generated: tuple[str, ...] = ()


def expected_of(parts: PaperParts, aux_folder: Path) -> ExpectedDigits:
    """What the parsed source, its facts, tables and figures, and LaTeX's own files say that the PDF shows."""
    source, numbers = parts.source, read_latex_files(aux_folder)
    facts = [parts.book.facts[use.key].printed for use in source.uses if use.key in parts.book.facts]
    in_tables = [text for use in source.tables for text in parts.tables.printed.get(use.name, ())]
    cited = [numbers.cited[use.key] for use in source.citations if use.key in numbers.cited]
    return ExpectedDigits(
        facts=digits_printed(facts),
        literals=digits_printed(use.printed for use in source.literals),
        tables=digits_printed(in_tables),
        generated=digits_printed(parts.generated),
        formulas=digits_printed(formula_numbers(source)),
        structure=structure_of(source, numbers),
        citations=digits_printed(number for number, _ in cited),
        years=digits_printed(year for _, year in cited),
        bibliography=numbers.bibliography,
        labels=digits_printed(number for number, _ in numbers.cited.values()),
        on_pages=numbers.on_pages,
        lists=lists_of(source, numbers),
        headings=numbers.headings,
        figures=parts.figures.pdfs,
    )


def structure_of(source: PaperSource, numbers: LatexNumbers) -> Counter[str]:
    """References, both marks of each footnote, the numbers of equations, the contents and printed addresses."""
    texts = [numbers.labels.get(use.label, "") for use in source.references]
    texts += [str(number) for number in range(1, source.numbered["footnote"] + 1)] * 2
    if not numbers.has_numbers_by_section:
        texts += map(str, range(1, source.numbered["equation"] + 1))
    texts += [use.printed for use in source.links]
    return digits_printed(texts) + numbers.contents


def lists_of(source: PaperSource, numbers: LatexNumbers) -> dict[str, Counter[str]]:
    """Numbered items with their numbers; theorems, and equations that are numbered by section, with any."""
    lists = {
        name: Counter({ANY: count}) for name, count in source.numbered.items() if name not in ("footnote", "equation")
    }
    if numbers.has_numbers_by_section:
        lists["equation"] = Counter({ANY: source.numbered["equation"]})
    lists["item"] = Counter(str(number) for length in source.items for number in range(1, length + 1))
    return lists


def formula_numbers(source: PaperSource) -> Iterator[str]:
    """The small whole numbers that are typed in mathematics; the lint refuses larger ones."""
    for text in source.texts:
        for found in WHOLE.finditer(text.text):
            place = text.place_at(found.start())
            if place.mode == "index" or (place.mode == "math" and int(found[0]) <= LARGEST_IN_FORMULAS):
                yield found[0]
