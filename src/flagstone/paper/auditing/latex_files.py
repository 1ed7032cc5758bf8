"""The numbers that LaTeX gives to sections, floats, labels and references, from the files that it leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.gates import read_text
from flagstone.paper.auditing.digits import digits_printed
from flagstone.paper.auditing.tex_text import arguments_of, groups_at, printed_text

DEEPEST_IN_CONTENTS = ("part", "chapter", "section", "subsection", "subsubsection")


@dataclass(frozen=True)
class LatexNumbers:
    """`on_pages` by the label of the page; `labels` and their numbers; `cited` the numbers and years of cited works."""

    on_pages: Mapping[str, Counter[str]] = field(default_factory=dict)
    headings: tuple[str, ...] = ()
    contents: Counter[str] = field(default_factory=Counter)
    labels: Mapping[str, str] = field(default_factory=dict)
    cited: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    bibliography: Counter[str] = field(default_factory=Counter)
    has_numbers_by_section: bool = False


def read_latex_files(folder: Path) -> LatexNumbers:
    """From main.aux, main.toc and main.bbl; a missing file has no numbers."""
    aux, toc, bbl = (read_text(folder / f"main.{ending}") for ending in ("aux", "toc", "bbl"))
    on_pages: dict[str, Counter[str]] = {}
    headings = []
    for kind, number, title, page in lines_of_contents(aux):
        if "paragraph" not in kind:  # where those have numbers, classes print a part of them
            on_pages.setdefault(page, Counter()).update(digits_printed([number]))
        headings.append(f"{number} {title}")
    labels = {name: groups_at(value, 0, 2) for name, value in pairs(arguments_of(aux, "\\newlabel", 2))}
    numbers = {name: groups[0] for name, groups in labels.items() if groups}
    return LatexNumbers(
        on_pages=on_pages,
        headings=tuple(headings),
        contents=digits_printed(
            f"{number} {title} {page}"
            for kind, number, title, page in lines_of_contents(toc)
            if kind in DEEPEST_IN_CONTENTS
        ),
        labels=numbers,
        cited={key: cited_as(value) for key, value in pairs(arguments_of(aux, "\\bibcite", 2))},
        bibliography=digits_printed([printed_text(bbl[max(0, bbl.find("\\bibitem")) :])]),
        has_numbers_by_section=any(key.startswith("eq") and "." in number for key, number in numbers.items()),
    )


def pairs(groups: Iterator[list[str]]) -> Iterator[tuple[str, str]]:
    for group in groups:
        if len(group) == 2:
            yield group[0], group[1]


def lines_of_contents(tex: str) -> Iterator[tuple[str, str, str, str]]:
    """Kind, number, title and page of each section and float; floats without a list of them too."""
    for group in arguments_of(tex, "\\contentsline", 3):
        if len(group) == 3:
            kind, entry, page = group
            at = entry.find("\\numberline")
            number = (groups_at(entry, at + len("\\numberline"), 1) or [""])[0] if at >= 0 else ""
            title = entry[at + len("\\numberline") + len(number) + 3 :] if at >= 0 else entry
            yield kind, printed_text(number).strip(), " ".join(printed_text(title).split()), printed_text(page).strip()


def cited_as(value: str) -> tuple[str, str]:
    """The number and the year under which a work may be cited."""
    groups = groups_at(value, 0, 2)
    return (groups[0], groups[1]) if len(groups) == 2 else (value, "")
