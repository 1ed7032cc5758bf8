from .references import (
    BY_HAND as BY_HAND,
    CitationRow as CitationRow,
    References as References,
    references_of as references_of,
)
from .verifying import CitationStatus as CitationStatus
