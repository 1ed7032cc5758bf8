"""What a written paper must consist of before a person is asked to read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.artifacts.formats import Unreadable, latex, loads_strict, open_regular, pdf_pages, regular_file
from flagstone.artifacts.rules.findings import RuleCheck, failed_check, passed_check, skipped_check
from flagstone.artifacts.rules.inspection import Inspection
from flagstone.layout import Run
from flagstone.text import count_text, escaped_text, list_text

WRITING = "workspace/writing"
MAIN = f"{WRITING}/main.tex"
VENUE_RECORD = f"{WRITING}/venue.json"
PAPERS = ("workspace/artifacts/paper.pdf", f"{WRITING}/main.pdf")
BUILD_LOG = "workspace/artifacts/build_log.txt"
SOURCES_LIMIT = 500
IN_ARTIFACTS = ("paper.pdf", "build_log.txt", "citation_verification.json", "audit.json", "self_review.json")
IN_WRITING = ("main.tex", "facts.tex", "facts.json", "references.bib", "appendix.tex")
LOG_ERROR = re.compile(r"^!.*|^[^\n:]+\.tex:\d+: .*(?:[Ee]rror|Undefined control sequence).*", re.MULTILINE)
LOG_OUTPUT = re.compile(r"Output written on (\S+\.pdf)\s*\((\d+) pages?, (\d+) bytes\)")
LOG_MENTION = re.compile(r"Output written on |Writing `[^`']+\.pdf|\S+\.pdf\b")
LATER = "comes with the paper capability; nothing was verified"


@dataclass
class Sources:
    """main.tex and everything it includes, without comments, by path."""

    main: str
    texts: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def all(self) -> str:
        return "\n".join(self.texts.values())


def published_copies(run: Run) -> Mapping[str, Path]:
    """The files of the workspace that are copies of what Flagstone built, with their originals."""
    tables = (path.relative_to(run.paper).as_posix() for path in sorted(run.paper.glob("tables/*.tex")))
    copies = {f"workspace/artifacts/{name}": run.paper / name for name in IN_ARTIFACTS}
    copies |= {f"{WRITING}/{name}": run.paper / name for name in (*IN_WRITING, *tables)}
    return {copy: original for copy, original in copies.items() if original.is_file()}


def paper_checks(must_be_fresh: bool, inspection: Inspection) -> Iterator[RuleCheck]:
    """Every rule of a paper; where main.tex is missing, only what can still be judged."""
    try:
        sources = sources_of(inspection)
    except Unreadable as refusal:
        yield failed_check("paper-main", f"write {MAIN}: it {refusal.reason}")
    else:
        yield main_check(sources)
        yield venue_check(inspection, sources)
        yield sections_check(sources)
        yield from bibliography_checks(inspection, sources)
    yield from pdf_checks(inspection, must_be_fresh)
    yield build_log_check(inspection)
    yield skipped_check("citation-verification", f"citation verification {LATER}")


def sources_of(inspection: Inspection) -> Sources:
    raw = inspection.text(MAIN)
    found = Sources(raw, {MAIN: latex.without_comments(raw)})
    waiting = [MAIN]
    while waiting and len(found.texts) < SOURCES_LIMIT:
        for name in latex.inputs(found.texts[waiting.pop()]):
            path = f"{WRITING}/{name}"
            if path in found.texts or path in found.missing:
                continue
            try:
                found.texts[path] = latex.without_comments(inspection.text(path))
                waiting.append(path)
            except Unreadable:
                # a bare name may be a file of the TeX installation, as in \input{glyphtounicode}
                found.missing += [path] if "/" in name else []
    return found


def main_check(sources: Sources) -> RuleCheck:
    main = sources.texts[MAIN]
    lacking = [] if latex.CLASS.search(main) else ["\\documentclass{…}"]
    lacking += [mark for mark in ("\\begin{document}", "\\end{document}") if mark not in main]
    if lacking:
        return failed_check("paper-main", f"{MAIN} lacks {list_text(lacking)}: make it a complete LaTeX document")
    return passed_check("paper-main", f"{MAIN} is a LaTeX document")


def venue_check(inspection: Inspection, sources: Sources) -> RuleCheck:
    """The venue is named by its key in one agreed place, never guessed from words in the text."""
    named = venue_of_paper(inspection, sources)
    wanted = inspection.request.venue
    how = f"write “% flagstone venue: {wanted or '<key>'}” into {MAIN}"
    if not named:
        return failed_check("paper-venue", f"{how}: the paper does not name the venue it is written for")
    if wanted and named != wanted:
        return failed_check(
            "paper-venue", f"{how}: the run's venue is {wanted}, but the paper names {escaped_text(named, 60)}"
        )
    return passed_check("paper-venue", f"written for {escaped_text(named, 60)}")


def venue_of_paper(inspection: Inspection, sources: Sources) -> str:
    try:
        record = loads_strict(inspection.text(VENUE_RECORD))
        if isinstance(record, dict) and isinstance(record.get("venue"), str):
            return str(record["venue"])
    except Unreadable:
        pass
    found = latex.VENUE.search(sources.main)
    return found[1] if found else ""


def sections_check(sources: Sources) -> RuleCheck:
    folder = f"{WRITING}/sections/"
    filled = [path for path, text in sources.texts.items() if path.startswith(folder) and text.strip()]
    if sources.missing:
        gone = list_text([escaped_text(path, 120) for path in sources.missing])
        return failed_check("paper-sections", f"main.tex includes files that are missing or empty: {gone}; write them")
    if not filled:
        return failed_check(
            "paper-sections", f"write the sections as {folder}*.tex and include them from {MAIN} with \\input"
        )
    return passed_check("paper-sections", f"{count_text(len(filled), 'section')} included by main.tex")


def bibliography_checks(inspection: Inspection, sources: Sources) -> Iterator[RuleCheck]:
    named = list(dict.fromkeys(f"{WRITING}/{name}" for name in latex.bibliographies(sources.all)))
    if not named:
        yield failed_check("paper-bibliography", f"name the bibliography in {MAIN}: \\bibliography{{references}}")
        return
    keys: set[str] = set()
    for path in named:
        try:
            keys.update(latex.entry_keys(inspection.text(path)))
        except (Unreadable, ValueError) as error:
            yield failed_check("paper-bibliography", f"{escaped_text(path, 120)} cannot be used: {error}; fix it")
            return
    if not keys:
        yield failed_check("paper-bibliography", f"{list_text(named)} has no entries; write at least one")
        return
    yield passed_check("paper-bibliography", f"{count_text(len(keys), 'entry', 'entries')} in {list_text(named)}")
    yield citations_check(latex.cited_keys(sources.all), keys)


def citations_check(cited: set[str], keys: set[str]) -> RuleCheck:
    unknown = sorted(cited - keys)
    if unknown:
        names = list_text([escaped_text(key, 60) for key in unknown])
        return failed_check(
            "paper-citations", f"cited, but not in the bibliography: {names}; add the entries or cite others"
        )
    if not cited:
        return failed_check("paper-citations", "cite the bibliography's entries in the text (\\cite{…}); none is cited")
    return passed_check("paper-citations", f"{count_text(len(cited), 'work')} cited, all in the bibliography")


def pdf_checks(inspection: Inspection, must_be_fresh: bool) -> Iterator[RuleCheck]:
    path, pages, problems = compiled_pdf(inspection)
    if not path:
        yield failed_check("paper-pdf", f"compile the paper to {PAPERS[0]}: {list_text(problems)}")
        return
    yield passed_check("paper-pdf", f"{path}, {count_text(pages, 'page')}")
    if must_be_fresh and inspection.is_fresh(path, inspection.digest(path)):
        yield passed_check("paper-fresh", f"{path} was compiled in this stage")
    elif must_be_fresh:
        yield failed_check("paper-fresh", f"compile the paper again: {path} is older than this stage")


def compiled_pdf(inspection: Inspection) -> tuple[str, int, list[str]]:
    """The first readable PDF of those that it may be, with its pages; else what is wrong with each."""
    problems = []
    for path in PAPERS:
        try:
            if not (inspection.run.root / path).exists():
                raise Unreadable("does not exist")
            real, status = regular_file(inspection.run.root / path, inspection.run.root)
            with open_regular(real) as stream:
                return path, pdf_pages(stream, status.st_size), []
        except Unreadable as refusal:
            problems.append(f"{path} {refusal.reason}")
    return "", 0, problems


def build_log_check(inspection: Inspection) -> RuleCheck:
    """The log has no error, names its output, and what it says of that output is true of the PDF."""
    rule, again = "paper-build-log", f"compile again and keep the whole log as {BUILD_LOG}"
    try:
        log = inspection.text(BUILD_LOG)
    except Unreadable as refusal:
        return failed_check(rule, f"{again}: it {refusal.reason}")
    error = LOG_ERROR.search(log)
    if error:
        return failed_check(rule, f"fix the LaTeX error and compile; the log says “{escaped_text(error.group(), 120)}”")
    if not LOG_MENTION.search(log):
        return failed_check(rule, f"{again}: it does not mention the PDF that was written")
    contradiction = contradiction_in(log, inspection)
    if contradiction:
        return failed_check(rule, f"{again}: {contradiction}")
    return passed_check(rule, "the log names its output and shows no error")


def contradiction_in(log: str, inspection: Inspection) -> str:
    """How the last line of pdfTeX contradicts the PDF on disk ('' if it does not)."""
    reports = LOG_OUTPUT.findall(log.replace("\n", ""))  # TeX breaks its lines after 79 characters
    path, pages, _ = compiled_pdf(inspection)
    if not reports or not path:
        return ""
    size = regular_file(inspection.run.root / path, inspection.run.root)[1].st_size
    if int(reports[-1][2]) == size:
        return ""
    return f"it reports {reports[-1][1]} pages in {reports[-1][2]} bytes, but {path} has {pages} in {size}"
