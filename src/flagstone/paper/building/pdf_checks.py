"""Whether the printed paper keeps to its venue, and shows no number that nothing explains."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.gates import read_text
from flagstone.paper.auditing import AuditReport, PaperParts, audit_pdf, expected_of
from flagstone.paper.building.gathering import PaperContent
from flagstone.paper.building.order import AUDIT, AUX, PDF, PaperOrder
from flagstone.paper.building.typesetting import (
    Manuscript,
    WrittenText,
    font_problem,
    giveaways,
    limit_problems,
    read_pdf,
)
from flagstone.processes import run_quietly
from flagstone.records import read_as, write_record
from flagstone.seals import login_name, names_to_hide
from flagstone.text import count_text, list_text

MOST_NAMED = 12
GIT_S = 10.0
REMOTE = re.compile(r"^\w+://(?:[^/@]*@)?|^[^/@]*@")  # how a remote is reached, and as whom
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
    after = content.text_of(manuscript.after_references)
    text = WrittenText(content.abstract, content.text_of(manuscript.sections), after)
    problems = [*limit_problems(venue, text, read_text(aux)), *author_problems(order, manuscript)]
    if venue.anonymous:
        problems += identity_problems(order, manuscript, read_text(aux.with_suffix(".bbl")))
    if problems:
        return failed_check(VENUE_RULE, list_text(list(dict.fromkeys(problems)), MOST_NAMED))
    return passed_check(VENUE_RULE, f"keeps to {venue.name}")


def identity_problems(order: PaperOrder, manuscript: Manuscript, bibliography: str) -> Iterator[str]:
    """What in the PDF tells who wrote it, or on which machine."""
    identity = git_identity(order.opened.project.root)
    names = names_to_hide((*manuscript.authors, *identity.names, login_name(os.getuid())))
    paths = (*private_paths(order), *identity.remotes)
    for found in giveaways(read_pdf(order.out / PDF), sorted(names), paths, bibliography):
        yield f"{found} gives the authors away, and {order.venue.name} is anonymous: remove it"


def author_problems(order: PaperOrder, manuscript: Manuscript) -> Iterator[str]:
    """No name is invented: each one stands in the brief."""
    brief = read_text(order.run.brief)
    unknown = [name for name in manuscript.authors if name.casefold() not in brief.casefold()]
    if unknown:
        yield f"remove these authors from paper.yaml, which the brief does not name: {list_text(unknown)}"


def private_paths(order: PaperOrder) -> list[str]:
    places = (order.run.root, order.opened.project.root, Path.home())
    return sorted({path for place in places for path in (str(place), os.path.realpath(place))} - {"/", "/root"})


@dataclass(frozen=True)
class GitIdentity:
    """What git knows of the person: name and address, and where the project is published."""

    names: tuple[str, ...] = ()
    remotes: tuple[str, ...] = ()


def git_identity(folder: Path) -> GitIdentity:
    keys = r"^(user\.(name|email)|remote\..*\.url)$"
    _, found, _ = run_quietly(["git", "config", "--null", "--get-regexp", keys], folder, GIT_S)
    rows = [entry.partition("\n") for entry in found.decode("utf-8", "replace").split("\0") if entry]
    urls = [
        REMOTE.sub("", value).replace(":", "/").removesuffix(".git") for key, _, value in rows if key.endswith("url")
    ]
    return GitIdentity(tuple(value for key, _, value in rows if not key.endswith("url")), tuple(urls))


@dataclass(frozen=True)
class StoredAudit:
    """audit.json: what the audit of a PDF found, and which PDF of which sources that was."""

    of: str
    report: AuditReport


def audit_of(order: PaperOrder, content: PaperContent, printed: Sequence[str], of: str) -> AuditReport:
    """The audit of the PDF in the folder of the paper. No stored one is believed: a later Flagstone may find more."""
    generated = (*printed, *content.appendix.texts)
    parts = PaperParts(content.source, content.book, content.tables, content.figures, generated)
    found = StoredAudit(of, audit_pdf(order.out / PDF, expected_of(parts, order.out / AUX)))
    if read_as(order.out / AUDIT, StoredAudit) != found:
        write_record(order.out / AUDIT, asdict(found))
    return found.report
