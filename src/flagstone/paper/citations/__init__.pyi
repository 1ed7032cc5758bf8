from .lookup import (
    look_up as look_up,
    search_works as search_works,
)
from .own_bib import BIB_BYTES as BIB_BYTES, requests_in as requests_in
from .references import (
    CURES as CURES,
    RULE as RULE,
    VERIFICATION as VERIFICATION,
    CitationRow as CitationRow,
    References as References,
    references_of as references_of,
    unreachable_works as unreachable_works,
)
from .registries import WorkRecord as WorkRecord
from .requests import (
    KEY as KEY,
    OWN_SOURCES as OWN_SOURCES,
    SOURCES as SOURCES,
    CitationRequest as CitationRequest,
    CitationRequests as CitationRequests,
    add_requests as add_requests,
    key_of as key_of,
    open_file as open_file,
    read_requests as read_requests,
    request_of as request_of,
)
from .verifying import CitationStatus as CitationStatus
from .waivers import waive as waive, waivers_of as waivers_of
