from .answers import (
    Answers as Answers,
    Fetcher as Fetcher,
    NoAnswer as NoAnswer,
    NoNetwork as NoNetwork,
    RawAnswer as RawAnswer,
    read_lock as read_lock,
    records_in as records_in,
    write_lock as write_lock,
)
from .arxiv import (
    NUMBER as NUMBER,
    OF_DOI as OF_DOI,
    arxiv_record as arxiv_record,
    works_at_arxiv as works_at_arxiv,
    works_at_arxiv_with as works_at_arxiv_with,
)
from .client import Registries as Registries
from .crossref import crossref_record as crossref_record, notice_of as notice_of, works_at_crossref as works_at_crossref
from .datacite import datacite_record as datacite_record
from .doi_org import DOI as DOI, agency_of as agency_of
from .matching import (
    comparable as comparable,
    has_family as has_family,
    has_title as has_title,
    plain_text as plain_text,
    similarity as similarity,
    tex_decoded as tex_decoded,
)
from .patience import SharedPatience as SharedPatience, each_in_parallel as each_in_parallel
from .record import WorkRecord as WorkRecord
from .second_sources import flag_of as flag_of, openalex_record as openalex_record, scholar_record as scholar_record
