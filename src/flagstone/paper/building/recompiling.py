"""Compiles a paper only if LaTeX would read something else than for the PDF that is there."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.paper.building.build_record import BuildRecord, digest_of, read_build, write_build
from flagstone.paper.building.order import AUX, LOG, PDF, PaperOrder
from flagstone.paper.building.typesetting import Compilation, TexSources, VenueStyle, compile_paper
from flagstone.paper.linting import PaperSource
from flagstone.records import write_if_changed
from flagstone.text import count_text, list_text

KEPT = ("main.aux", "main.toc", "main.out", "main.bbl")  # what LaTeX says of numbers that it printed itself
UNFINISHED = "tex-"
MOST_NAMED = 12
LOG_RULE = "paper-build-log"


def compile_if_changed(order: PaperOrder, sources: TexSources, style: VenueStyle) -> tuple[Compilation, bool]:
    """The PDF of these sources, and whether it is new. The record is written last: a kill leaves it unbelieved."""
    was, pdf, log = read_build(order.out), order.out / PDF, order.out / LOG
    if was.pdf and was.sources == sources.digest and (digest_of(pdf), digest_of(log)) == (was.pdf, was.log):
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
            content = (folder / each).read_bytes() if (folder / each).is_file() else b""
            write_if_changed(order.out / AUX / each, content)
    styles = {file.name: digest_of(file) for file in style.files}
    record = BuildRecord(sources.digest, digest_of(pdf), digest_of(log), made.undefined, styles, order.is_draft)
    write_build(order.out, record)
    return made, True


def log_check(made: Compilation, source: PaperSource) -> RuleCheck:
    """That LaTeX came to the end, and that nothing in the paper refers to what is not there."""
    if made.pdf is None:
        return failed_check(LOG_RULE, f"fix the LaTeX error: {'; '.join(made.errors)} (the whole log: paper/{LOG})")
    if made.undefined:
        places = {use.key: use.place for use in source.citations} | {use.label: use.place for use in source.references}
        names = [f"{places[name]}: {name}" if name in places else name for name in made.undefined]
        advice = "define what the paper refers to, or refer to something else"
        return failed_check(LOG_RULE, f"{advice}: {list_text(names, MOST_NAMED)}")
    wide = made.log.count("Overfull \\hbox")
    return passed_check(LOG_RULE, f"compiled without an error, {count_text(wide, 'line')} wider than the column")
