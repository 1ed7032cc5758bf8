"""Explains every digit string of a PDF, or says which ones nothing explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from flagstone.paper.auditing.digits import context_of, digits_printed
from flagstone.paper.auditing.expectations import ExpectedDigits
from flagstone.paper.auditing.explaining import KINDS, Explainer, Explanation
from flagstone.paper.auditing.faults import faults_of, notices_of
from flagstone.paper.auditing.outcome import AuditReport, Stray
from flagstone.paper.auditing.readers import PdfText, UnreadablePdf, read_pdfs

SMALL = 13


def audit_pdf(pdf: Path, expected: ExpectedDigits) -> AuditReport:
    """Reads a built paper with both readers and holds it against what it may show."""
    try:
        read, *figures = read_pdfs([pdf, *expected.figures])
    except UnreadablePdf as error:
        return AuditReport(0, {}, faults=(f"{pdf.name} cannot be audited: {error}",))
    found = Explainer(read, expected, figures_by_page(read, figures)).explain()
    return AuditReport(
        pages=len(read.pages),
        explained={kind: found.counts[kind] for kind in KINDS},
        strays=tuple(Stray(each.text, each.page, context_of(read.pages[each.page - 1], each)) for each in found.strays),
        faults=faults_of(read, figures),
        notices=notices_of(read),
        unprinted={kind: dict(+counter) for kind, counter in found.left.items() if +counter},
        chance=chance_of_small_integer(found),
    )


def figures_by_page(paper: PdfText, figures: Sequence[PdfText]) -> Mapping[int, Counter[str]]:
    """The digit strings of the figures that each page includes, each figure's PDF read by itself.

    Poppler leaves out what stands off the page, and in the paper that is on the page: then pypdf's text counts.
    """
    printed = {
        figure.objects.pages[0].contents: digits_printed(
            [figure.objects.pages[0].text if figure.differences else figure.pages[0]]
        )
        for figure in figures
    }
    pages = enumerate(paper.objects.pages, start=1)
    return {number: sum((printed.get(each, Counter()) for each in page.figures), Counter()) for number, page in pages}


def chance_of_small_integer(found: Explanation) -> float:
    """How likely one more typed integer from 0 to 12 would pass on a page taken at random."""
    everywhere = [any(counter[str(value)] > 0 for counter in found.left.values()) for value in range(SMALL)]
    passes = [
        everywhere[value] or any(counter[str(value)] > 0 for counter in kinds.values())
        for kinds in found.left_on_pages.values()
        for value in range(SMALL)
    ]
    return sum(passes) / len(passes) if passes else 0.0
