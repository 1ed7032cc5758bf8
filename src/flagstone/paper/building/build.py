"""Builds the paper of a run from what its agent wrote and what its files say, and checks all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.errors import FlagstoneError
from flagstone.locks import hold
from flagstone.paper.building.build_record import read_build
from flagstone.paper.building.gathering import PaperContent, gather
from flagstone.paper.building.order import AUX, MAIN, PDF, PaperOrder
from flagstone.paper.building.pdf_checks import audit_of, pdf_check, venue_check
from flagstone.paper.building.recompiling import compile_if_changed, log_check
from flagstone.paper.building.typesetting import (
    Manuscript,
    Parts,
    TexSources,
    layout_notice,
    main_tex,
    read_manuscript,
    style_for,
)
from flagstone.paper.citations import CitationStatus
from flagstone.records import write_if_changed
from flagstone.text import list_text

MAIN_RULE = "paper-main"
MOST_NAMED = 12


@dataclass(frozen=True)
class Build:
    """What came of a build. `made` names what was made anew, `audit` is the audit's one line."""

    checks: tuple[RuleCheck, ...]
    pdf: Path | None = None
    made: tuple[str, ...] = ()
    audit: str = ""

    @property
    def failures(self) -> list[RuleCheck]:
        return [check for check in self.checks if check.status == "failed"]


def build_paper(order: PaperOrder) -> Build:
    """Builds all that is not there as it should be. What is broken is a failed check; a missing program is an error."""
    order.out.mkdir(parents=True, exist_ok=True)
    with hold(order.out / ".lock", f"the paper of run {order.run.name}", wait=True):
        try:
            manuscript = read_manuscript(order.run.writing, order.opened.project.schemas)
        except FlagstoneError as error:
            return Build((failed_check(MAIN_RULE, f"{error.problem}: {error.hint}"),))
        return typeset(order, manuscript, gather(order, manuscript))


def typeset(order: PaperOrder, manuscript: Manuscript, content: PaperContent) -> Build:
    """Compiles what was gathered, unless the PDF of just this is there, and checks the PDF."""
    style = style_for(order.venue, order.opened.project.root)
    notices = [notice for notice in (layout_notice(order.venue, style), *notices_of(order, content)) if notice]
    parts = Parts(notices, bool(content.cited_works), has_appendix=True, author=order.author)
    # the folder of a style may hold a whole sample paper: none of its files replaces one of this paper
    sources = TexSources({file.name: file.read_bytes() for file in style.files} | content.files(order.out))
    sources.add(MAIN, main_tex(order.config_path("layouts"), manuscript, order.venue, style, parts))
    write_if_changed(order.out / MAIN, sources.files[MAIN])
    compilation, is_new = compile_if_changed(order, sources, style)
    own = f", with venues/{order.venue.key}: {list_text([file.name for file in style.files])}" if style.files else ""
    main = passed_check(MAIN_RULE, f"main.tex is made from paper.yaml, in the layout {style.layout}{own}")
    checks = [main, *content.checks, log_check(compilation, content.source)]
    if compilation.pdf is None:
        return Build(tuple(checks), made=("paper",))
    checks += [pdf_check(order.out / PDF), venue_check(order, manuscript, content, order.out / AUX / "main.aux")]
    report = audit_of(order, content, [*manuscript.texts, *notices], read_build(order.out).key)
    checks += report.checks
    return Build(tuple(checks), order.out / PDF, ("paper",) if is_new else (), report.one_line)


def notices_of(order: PaperOrder, content: PaperContent) -> Iterator[str]:
    """What page one says of the citations."""
    if content.references.notice:
        yield f"Citations: {content.references.notice}."
    unverified = [row.key for row in content.references.rows if row.status is not CitationStatus.VERIFIED]
    if order.is_draft and unverified:
        yield f"Draft: not verified: {list_text(unverified, MOST_NAMED)}."
