"""Builds the paper of a run from what its agent wrote and what its files say, and checks all of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.errors import FlagstoneError
from flagstone.locks import hold
from flagstone.paper.building.build_record import BuildRecord, digest_of, read_build, write_build
from flagstone.paper.building.gathering import PaperContent, gather
from flagstone.paper.building.order import PaperOrder
from flagstone.paper.building.typesetting import (
    Compilation,
    Manuscript,
    Parts,
    TexSources,
    VenueStyle,
    compile_paper,
    layout_notice,
    main_tex,
    read_manuscript,
    style_for,
)
from flagstone.paper.building.venue_checks import pdf_check, venue_check
from flagstone.paper.citations import BY_HAND, CitationStatus
from flagstone.records import write_if_changed
from flagstone.text import count_text, list_text

PDF, LOG, MAIN = "paper.pdf", "build_log.txt", "main.tex"
KEPT = ("main.aux", "main.toc", "main.out", "main.bbl")  # what LaTeX says of numbers that it printed itself
MOST_NAMED = 12
AUX, UNFINISHED = "aux", "tex-"


@dataclass(frozen=True)
class Build:
    """What came of a build. `made` names what was made anew."""

    checks: tuple[RuleCheck, ...]
    pdf: Path | None = None
    made: tuple[str, ...] = ()

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
            return Build((failed_check("paper-main", f"{error.problem}: {error.hint}"),))
        return typeset(order, manuscript, gather(order, manuscript))


def typeset(order: PaperOrder, manuscript: Manuscript, content: PaperContent) -> Build:
    """Compiles what was gathered, unless the PDF of just this is there, and checks the PDF."""
    style = style_for(order.venue, order.opened.project.root)
    notices = [notice for notice in (layout_notice(order.venue, style), *notices_of(order, content)) if notice]
    parts = Parts(notices, bool(content.cited_works), has_appendix=True, author=order.author)
    sources = TexSources(content.files(order.out))
    for file in style.files:
        sources.add(file.name, file.read_bytes())
    sources.add(MAIN, main_tex(order.config_path("layouts"), manuscript, order.venue, style, parts))
    write_if_changed(order.out / MAIN, sources.files[MAIN])
    made, is_new = compile_if_changed(order, sources, style)
    main = passed_check("paper-main", f"main.tex is made from paper.yaml, in the layout {style.layout}")
    checks = [main, *content.checks, log_check(made)]
    if made.pdf is None:
        return Build(tuple(checks), made=("paper",))
    pdf = order.out / PDF
    checks += [pdf_check(pdf), venue_check(order, manuscript, content, order.out / AUX / "main.aux")]
    return Build(tuple(checks), pdf, ("paper",) if is_new else ())


def notices_of(order: PaperOrder, content: PaperContent) -> Iterator[str]:
    """What page one says of the citations."""
    if any(row.hand_made for row in content.references.rows):
        yield f"Citations: {BY_HAND}."
    unverified = [row.key for row in content.references.rows if row.status is not CitationStatus.VERIFIED]
    if order.is_draft and unverified:
        yield f"Draft: not verified: {list_text(unverified, MOST_NAMED)}."


def compile_if_changed(order: PaperOrder, sources: TexSources, style: VenueStyle) -> tuple[Compilation, bool]:
    """The PDF of these sources: the one that is there, or a new one. The record is written last."""
    was, pdf, log = read_build(order.out), order.out / PDF, order.out / LOG
    if was.sources == sources.digest and (digest_of(pdf), digest_of(log)) == (was.pdf, was.log) and was.pdf:
        return Compilation(pdf.read_bytes(), log.read_text(encoding="utf-8"), (), was.undefined), False
    for left in order.out.glob(f"{UNFINISHED}*"):  # of a build that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=order.out) as name:
        folder = Path(name)
        sources.lay(folder)
        made = compile_paper(folder)
        write_if_changed(log, made.log.encode())
        if made.pdf is None:
            return made, True
        write_if_changed(pdf, made.pdf)
        for each in KEPT:
            if (folder / each).is_file():
                write_if_changed(order.out / AUX / each, (folder / each).read_bytes())
    styles = {file.name: digest_of(file) for file in style.files}
    record = BuildRecord(sources.digest, digest_of(pdf), digest_of(log), made.undefined, styles, order.is_draft)
    write_build(order.out, record)
    return made, True


def log_check(made: Compilation) -> RuleCheck:
    """That LaTeX came to the end, and that nothing in the paper refers to what is not there."""
    rule = "paper-build-log"
    if made.pdf is None:
        return failed_check(rule, f"fix the LaTeX error: {'; '.join(made.errors)} (the whole log: paper/{LOG})")
    if made.undefined:
        names = list_text(list(made.undefined), 12)
        return failed_check(rule, f"define what the paper refers to, or refer to something else: {names}")
    wide = made.log.count("Overfull \\hbox")
    return passed_check(rule, f"compiled without an error, {count_text(wide, 'line')} wider than the column")
