from .audit import audit_pdf as audit_pdf
from .expectations import ExpectedDigits as ExpectedDigits, PaperParts as PaperParts, expected_of as expected_of
from .outcome import AuditReport as AuditReport, Stray as Stray
from .readers import UnreadablePdf as UnreadablePdf, printed_pages as printed_pages
