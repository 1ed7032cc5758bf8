from .lookup import LookedUpWork as LookedUpWork, Lookup as Lookup, look_up as look_up
from .own_bib import BIB_BYTES as BIB_BYTES, requests_in as requests_in
from .references import CitationRow as CitationRow, References as References, references_of as references_of
from .requests import (
    SOURCES as SOURCES,
    CitationRequest as CitationRequest,
    read_requests as read_requests,
)
from .verifying import CitationStatus as CitationStatus
from .waivers import Waiver as Waiver, waive as waive, waivers_of as waivers_of
