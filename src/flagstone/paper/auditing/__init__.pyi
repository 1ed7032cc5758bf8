from .audit import audit_pdf as audit_pdf
from .expectations import ExpectedDigits as ExpectedDigits, PaperParts as PaperParts, expected_of as expected_of
from .foreign.backing import TracedNumber as TracedNumber
from .foreign.foreign_report import ForeignReport as ForeignReport, audit_foreign as audit_foreign
from .outcome import AuditReport as AuditReport
from .readers import UnreadablePdf as UnreadablePdf, printed_pages as printed_pages
