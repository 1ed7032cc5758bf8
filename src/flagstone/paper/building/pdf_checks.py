"""Whether the printed paper keeps to its venue, and shows no number that nothing explains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.paper.auditing import AuditReport, PaperParts, audit_pdf, expected_of
from flagstone.paper.building.gathering import PaperContent
from flagstone.paper.building.order import AUDIT, AUX, PDF, PaperOrder
from flagstone.paper.building.typesetting import Manuscript, font_problem, giveaways, limit_problems, read_pdf
from flagstone.records import read_as, write_record
from flagstone.text import count_text, list_text

MOST_NAMED = 12
PDF_RULE = "paper-pdf"
VENUE_RULE = "paper-venue"


def pdf_check(pdf: Path) -> RuleCheck:
    """That the PDF can be read, and has no fonts that venues refuse."""
    printed = read_pdf(pdf)
    problem = font_problem(printed)
    if problem:
        return failed_check(PDF_RULE, problem)
    return passed_check(PDF_RULE, f"{count_text(printed.pages, 'page')}, every font is embedded")


def venue_check(order: PaperOrder, manuscript: Manuscript, content: PaperContent, aux: Path) -> RuleCheck:
    """Pages, words, sections and statements; and for an anonymous venue that nothing gives its authors away."""
    venue = order.venue
    of_aux = aux.read_text(encoding="utf-8", errors="replace") if aux.is_file() else ""
    problems = list(limit_problems(venue, content.sections, content.abstract, of_aux))
    problems += author_problems(order, manuscript)
    if venue.anonymous:
        found = giveaways(read_pdf(order.out / PDF), manuscript.authors, private_paths(order))
        problems += [f"{each} gives the authors away, and {venue.name} is anonymous: remove it" for each in found]
    if problems:
        return failed_check(VENUE_RULE, list_text(list(dict.fromkeys(problems)), MOST_NAMED))
    return passed_check(VENUE_RULE, f"keeps to {venue.name}")


def author_problems(order: PaperOrder, manuscript: Manuscript) -> Iterator[str]:
    """No name is invented: each one stands in the brief."""
    brief = order.run.brief.read_text(encoding="utf-8", errors="replace") if order.run.brief.is_file() else ""
    unknown = [name for name in manuscript.authors if name.casefold() not in brief.casefold()]
    if unknown:
        yield f"remove these authors from paper.yaml, which the brief does not name: {list_text(unknown)}"


def private_paths(order: PaperOrder) -> list[str]:
    return sorted({str(order.run.root), str(order.opened.project.root), str(Path.home())} - {"/", "/root"})


@dataclass(frozen=True)
class StoredAudit:
    """audit.json: what the audit of a PDF found, and which PDF of which sources that was."""

    of: str
    report: AuditReport


def audit_of(order: PaperOrder, content: PaperContent, printed: Sequence[str], of: str) -> AuditReport:
    """The audit of the PDF in the folder of the paper; the stored one if it is about the same. `of` says which."""
    path = order.out / AUDIT
    stored = read_as(path, StoredAudit)
    if stored and stored.of == of:
        return stored.report
    generated = (*printed, *content.appendix.texts)
    parts = PaperParts(content.source, content.book, content.tables, content.figures, generated)
    report = audit_pdf(order.out / PDF, expected_of(parts, order.out / AUX))
    write_record(path, asdict(StoredAudit(of, report)))
    return report
