"""Explains every digit string of a PDF, or says which ones nothing explains."""

from __future__ import annotations

from pathlib import Path

from flagstone.paper.auditing.digits import context_of, digit_strings
from flagstone.paper.auditing.expectations import ExpectedDigits
from flagstone.paper.auditing.outcome import AuditReport, Stray
from flagstone.paper.auditing.readers import UnreadablePdf, read_pdf

KINDS = ("facts", "literals", "tables", "structure", "bibliography")


def audit_pdf(pdf: Path, expected: ExpectedDigits) -> AuditReport:
    """Reads a built paper with both readers and holds it against what it may show."""
    try:
        read = read_pdf(pdf)
    except UnreadablePdf as error:
        return AuditReport(0, {}, faults=(f"{pdf.name}: {error}",))
    left = {kind: getattr(expected, kind).copy() for kind in KINDS}
    explained = dict.fromkeys(KINDS, 0)
    strays = []
    for number, text in enumerate(read.pages, start=1):
        for found in digit_strings(text, number):
            kind = next((each for each in KINDS if left[each][found.text] > 0), None)
            if kind is None:
                strays.append(Stray(found.text, number, context_of(text, found)))
            else:
                left[kind][found.text] -= 1
                explained[kind] += 1
    return AuditReport(len(read.pages), explained, tuple(strays), read.differences)
