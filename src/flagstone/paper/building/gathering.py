"""Gathers everything that a paper says, before it is typeset, with the checks of each part."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.gates import read_text
from flagstone.paper.building.appendix import (
    Appendix,
    AppendixRequest,
    appendix_of,
    campaign_check,
    campaign_tables,
)
from flagstone.paper.building.literature_facts import literature_checks
from flagstone.paper.building.order import PaperOrder
from flagstone.paper.building.typesetting import ABSTRACT, SECTIONS, Manuscript, sections_check, written_sources
from flagstone.paper.citations import VERIFICATION, References, references_of
from flagstone.paper.claims import claim_checks
from flagstone.paper.facts import (
    FactBook,
    Figures,
    Permission,
    Tables,
    build_facts,
    build_tables,
    make_figures,
    write_facts,
    write_tables,
)
from flagstone.paper.linting import LintRules, PaperSource, lint_checks, lint_rules_of_run, read_sources
from flagstone.records import write_if_changed
from flagstone.text import count_text, list_text

APPENDIX, REFERENCES, FACTS = "appendix.tex", "references.bib", "facts.tex"
TABLES, FIGURES = "tables", "figures"
PUNCTUATION = ".,:;!?()"
BIBLIOGRAPHY_RULE = "paper-bibliography"
CITATIONS_RULE = "paper-citations"
BITMAPS = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class PaperContent:
    """What a paper says, part by part, and what was found wrong with each."""

    written: Mapping[str, bytes | None]
    source: PaperSource
    book: FactBook
    tables: Tables
    figures: Figures
    references: References
    appendix: Appendix
    bitmaps: tuple[Path, ...]
    checks: tuple[RuleCheck, ...]

    @property
    def cited_works(self) -> Sequence[str]:
        return cited_keys(self.source)

    @property
    def abstract(self) -> str:
        return text_of(self.written.get(ABSTRACT))

    def text_of(self, sections: Sequence[str]) -> str:
        return "\n".join(text_of(self.written.get(f"{SECTIONS}/{name}.tex")) for name in sections)

    def files(self, out: Path) -> dict[str, bytes]:
        """What LaTeX is to read, by its path, besides main.tex and the style."""
        made = (APPENDIX, FACTS, REFERENCES, *(f"{TABLES}/{name}.tex" for name in self.tables.tex))
        pictures = {f"{FIGURES}/{path.name}": path for path in (*self.bitmaps, *self.figures.pdfs)}
        written = {path: content or b"" for path, content in self.written.items()}
        return written | {name: (out / name).read_bytes() for name in made} | read_all(pictures)


def gather(order: PaperOrder, manuscript: Manuscript) -> PaperContent:
    """Computes every part and writes it to the folder of the paper."""
    run, out = order.run, order.out
    rules = lint_rules_of_run(order.opened)
    written = written_sources(run.writing, manuscript)
    source, book = read_sources(run.writing, rules, written), build_facts(run)
    tables, figures = build_tables(run, book), make_figures(run, out, columns=order.venue.columns)
    tables = campaign_tables(run, tables) if order.is_of_campaign else tables
    in_claims = {key for claim in source.claims for key in claim.cites}
    references = references_of(run, cited_keys(source), order.opened.settings, factual=in_claims)
    literals = [(each.printed, each.reason) for each in source.literals]
    appendix = appendix_of(AppendixRequest(run, order.ancestors, literals, order.venue.anonymous))
    bitmaps = tuple(bitmaps_in(source, run.workspace / FIGURES))
    checks = (
        sections_check(run.writing, written),
        *book.checks,
        *lint_checks(source, book, rules),
        *claim_checks(source, book, run, rules),
        *figures.checks,
        *literature_checks(book, references, Permission.of(run).offers_file),
        *tables.checks,
        *table_use_checks(source, tables),
        *figure_use_checks(source, {path.name for path in (*bitmaps, *figures.pdfs)}),
        *figure_word_checks(figures, rules),
        *citation_checks(source, references),
        *typed_number_checks(manuscript, read_text(run.brief)),
        *appendix.checks,
        *([campaign_check(source)] if order.is_of_campaign else []),
    )
    content = PaperContent(written, source, book, tables, figures, references, appendix, bitmaps, checks)
    write_parts(content, out)
    return content


def write_parts(content: PaperContent, out: Path) -> None:
    """Writes what was computed; what is written already as it should be stays as it is."""
    write_facts(content.book, out)
    write_tables(content.tables, out)
    names = {f"{name}.tex" for name in content.tables.tex}
    for path in (out / TABLES).glob("*"):
        if path.name not in names:
            path.unlink()  # an earlier build made it
    write_if_changed(out / APPENDIX, content.appendix.tex.encode())
    write_if_changed(out / REFERENCES, content.references.bib.encode())
    record = json.dumps(content.references.as_record(), indent=1, ensure_ascii=False, default=str)
    write_if_changed(out / VERIFICATION, f"{record}\n".encode())


def typed_number_checks(manuscript: Manuscript, brief: str) -> Iterator[RuleCheck]:
    """Title and keywords have no facts: a number is there only as part of a name that the brief has as well."""
    words = {word for text in manuscript.texts for word in re.findall(r"\S*\d\S*", text)}
    typed = sorted(word for word in words if word.strip(PUNCTUATION).casefold() not in brief.casefold())
    if typed:
        advice = "paper.yaml: leave numbers out of title and keywords; only names that the brief has may have digits"
        yield failed_check("paper-lint", f"{advice}: {list_text(typed)}")


def cited_keys(source: PaperSource) -> Sequence[str]:
    return tuple(dict.fromkeys(use.key for use in source.citations))


def bitmaps_in(source: PaperSource, folder: Path) -> Iterator[Path]:
    """Pictures that no job of ours draws: they are taken from workspace/figures, and their digits are not read."""
    for name in dict.fromkeys(Path(use.path).name for use in source.figures):
        path = folder / name
        if path.suffix.lower() in BITMAPS and path.is_file() and not path.is_symlink():
            yield path


def table_use_checks(source: PaperSource, tables: Tables) -> Iterator[RuleCheck]:
    """That each table that the text puts in is one of tables.yaml, and that none of them is left out."""
    for use in source.tables:
        if use.name not in tables.tex:
            known = list_text(sorted(tables.tex), 12) or "tables.yaml has none yet"
            yield failed_check("paper-facts", f"{use.place}: there is no table {use.name!r}; use: {known}")
    for name in sorted(tables.tex.keys() - {use.name for use in source.tables}):
        yield failed_check("paper-facts", f"no section has table {name}; write \\input{{tables/{name}}}, or remove it")


def figure_use_checks(source: PaperSource, there: Collection[str]) -> Iterator[RuleCheck]:
    """That each picture that the text includes is one that the build has."""
    for use in source.figures:
        folder, _, name = use.path.rpartition("/")
        if folder != FIGURES or not {name, f"{name}.pdf"} & {*there}:
            known = list_text(sorted(f"{FIGURES}/{each}" for each in there), 12) or "figures.yaml names none yet"
            yield failed_check("paper-figures", f"{use.place}: {use.path} is no figure of this paper; use: {known}")


def figure_word_checks(figures: Figures, rules: LintRules) -> Iterator[RuleCheck]:
    """Strong words inside of a picture, where no claim can be computed again."""
    for name, text in figures.texts.items():
        found = next((word for _, word, group in rules.wording.claims_in(text) if group == "strong"), "")
        if found:
            cure = "take it out of the picture, and claim it in the text (\\claim{id}{…})"
            yield failed_check("paper-figures", f"figure {name} says “{found}”, which claims something; {cure}")


def citation_checks(source: PaperSource, references: References) -> Iterator[RuleCheck]:
    cited = cited_keys(source)
    if cited:
        yield passed_check(BIBLIOGRAPHY_RULE, f"{count_text(len(cited), 'entry', 'entries')} rendered from records")
        yield passed_check(CITATIONS_RULE, f"{count_text(len(cited), 'work')} cited")
    else:
        yield failed_check(CITATIONS_RULE, "cite the works that the paper rests on (\\cite{…}); none is cited")
    yield from references.checks


def text_of(content: bytes | None) -> str:
    return (content or b"").decode("utf-8", "replace")


def read_all(paths: Mapping[str, Path]) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in paths.items()}
