"""What must be there of a paper before a person reads it: the PDF, and copies of what Flagstone built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from flagstone.artifacts.formats import Unreadable, open_regular, pdf_pages, regular_file
from flagstone.artifacts.rules.findings import RuleCheck, failed_check, passed_check, skipped_check
from flagstone.artifacts.rules.inspection import Inspection
from flagstone.layout import Run
from flagstone.records import digest_file
from flagstone.text import count_text, escaped_text, list_text

WRITES_PAPER = "fresh-paper"  # what a stage requires that writes the paper
WRITING = "workspace/writing"
PAPERS = ("workspace/artifacts/paper.pdf", f"{WRITING}/main.pdf")  # the second is that of earlier versions
IN_ARTIFACTS = ("paper.pdf", "build_log.txt", "citation_verification.json", "audit.json", "self_review.json")
IN_WRITING = ("main.tex", "facts.tex", "facts.json", "references.bib", "appendix.tex")


def published_copies(run: Run) -> Mapping[str, Path]:
    """The files of the workspace that are copies of what Flagstone built, with their originals."""
    tables = (path.relative_to(run.paper).as_posix() for path in sorted(run.paper.glob("tables/*.tex")))
    copies = {f"workspace/artifacts/{name}": run.paper / name for name in IN_ARTIFACTS}
    copies |= {f"{WRITING}/{name}": run.paper / name for name in (*IN_WRITING, *tables)}
    return {copy: original for copy, original in copies.items() if original.is_file()}


def paper_checks(must_be_fresh: bool, inspection: Inspection) -> Iterator[RuleCheck]:
    """What the files show. The build itself checks all that stands in the paper."""
    yield from pdf_checks(inspection, must_be_fresh)
    yield copies_check(inspection)


def pdf_checks(inspection: Inspection, must_be_fresh: bool) -> Iterator[RuleCheck]:
    path, pages, problems = compiled_pdf(inspection)
    if not path:
        yield failed_check("paper-pdf", f"{PAPERS[0]} has to be built: {list_text(problems)}")
        return
    yield passed_check("paper-pdf", f"{path}, {count_text(pages, 'page')}")
    if must_be_fresh and inspection.is_fresh(path, inspection.digest(path)):
        yield passed_check("paper-fresh", f"{path} was built in this stage")
    elif must_be_fresh:
        yield failed_check("paper-fresh", f"write the paper in this stage: {path} is older than it")


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


def copies_check(inspection: Inspection) -> RuleCheck:
    """That nobody changed what Flagstone built: a copy that differs is not the paper that was checked."""
    rule, copies = "paper-lint", published_copies(inspection.run)
    if not copies:
        return skipped_check(rule, "an earlier version left this paper to its agent; to build it here: redo the stage")
    others = [path for path, original in copies.items() if inspection.digest(path) != digest_file(original)]
    if others:
        names = list_text([escaped_text(path, 120) for path in others])
        return failed_check(rule, f"leave these to Flagstone, which writes them; they are not what it built: {names}")
    return passed_check(rule, f"{count_text(len(copies), 'published file')} as they were built")
