"""Whether the work that a request describes exists, is that work, and still holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from flagstone.paper.citations.registries import (
    DOI,
    NUMBER,
    OF_DOI,
    Answers,
    NoAnswer,
    WorkRecord,
    agency_of,
    arxiv_record,
    comparable,
    crossref_record,
    datacite_record,
    flag_of,
    has_family,
    has_title,
    notice_of,
    openalex_record,
    scholar_record,
    similarity,
    works_at_arxiv,
    works_at_crossref,
)
from flagstone.paper.citations.requests import SOURCES, CitationRequest
from flagstone.text import escaped_text, one_line

SAME_VENUE = 0.6  # venues are abbreviated in many ways


class CitationStatus(StrEnum):
    """What asking the registries came to."""

    VERIFIED = "VERIFIED"
    MISDESCRIBED = "MISDESCRIBED"
    MISMATCH = "MISMATCH"
    NOT_FOUND = "NOT_FOUND"
    RETRACTED = "RETRACTED"
    NO_ID = "NO_ID"
    UNREACHABLE = "UNREACHABLE"


@dataclass(frozen=True)
class Verification:
    """The status of a request, why, and the record that a bibliography may be rendered from."""

    status: CitationStatus
    message: str
    record: WorkRecord | None = None


def verify(request: CitationRequest, answers: Answers) -> Verification:
    """Asks the registries about one work. What cannot be asked is UNREACHABLE: neither verified nor invented."""
    if not request.title and not request.doi and not request.arxiv:
        return Verification(CitationStatus.NOT_FOUND, f"{SOURCES} has no request for it")
    try:
        if request.doi:
            return verification_by_doi(request, answers)
        if request.arxiv:
            return verification_by_arxiv(request, answers)
        return verification_by_title(request, answers)
    except NoAnswer as error:
        return Verification(CitationStatus.UNREACHABLE, one_line(str(error)))


def verification_by_doi(request: CitationRequest, answers: Answers) -> Verification:
    if not DOI.match(request.doi):
        return Verification(CitationStatus.NOT_FOUND, f"“{escaped_text(request.doi, 80)}” is no DOI")
    agency = agency_of(request.doi, answers)
    if not agency:
        return Verification(CitationStatus.NOT_FOUND, f"doi.org knows no DOI {escaped_text(request.doi, 80)}")
    record = registered_record(request.doi, agency, answers)
    if record is None:
        raise NoAnswer(f"doi.org knows the DOI, but its agency ({agency}) has no record of it; ask again later")
    found = comparison(request, record)
    if found.status is CitationStatus.MISMATCH:
        return found
    reason = record.retracted or retraction_elsewhere(request.doi, agency, record, answers)
    return Verification(CitationStatus.RETRACTED, reason, record) if reason else found


def registered_record(doi: str, agency: str, answers: Answers) -> WorkRecord | None:
    """The record at the agency of a DOI; of agencies that cannot be asked, what others know of the work."""
    if agency == "crossref":
        return crossref_record(doi, answers)
    if agency == "datacite":
        return datacite_record(doi, answers)
    return openalex_record(doi, answers) or scholar_record(f"DOI:{doi}", answers)


def retraction_elsewhere(doi: str, agency: str, record: WorkRecord, answers: Answers) -> str:
    """Why a work does not hold, as others say. Each one has missed some: NoAnswer unless all were asked."""
    number = OF_DOI.match(doi)
    if number:
        known = arxiv_record(number[1], answers)
        return known.retracted if known else ""
    failures = []
    try:
        if agency == "crossref" and (notice := notice_of(doi, answers)):
            return notice
    except NoAnswer as error:
        failures.append(str(error))
    try:
        if flag := flag_of(doi, record, answers):
            return flag
    except NoAnswer as error:
        failures.append(str(error))
    if failures:
        raise NoAnswer(f"whether it was retracted is not known: {'; '.join(failures)}")
    return ""


def verification_by_arxiv(request: CitationRequest, answers: Answers) -> Verification:
    shown = escaped_text(request.arxiv, 60)
    if not NUMBER.match(request.arxiv):
        return Verification(CitationStatus.NOT_FOUND, f"“{shown}” is no number of arXiv")
    record = arxiv_record(request.arxiv, answers)
    if record is None:
        return Verification(CitationStatus.NOT_FOUND, f"arXiv knows no {shown}")
    found = comparison(request, record)
    if record.retracted and found.status is not CitationStatus.MISMATCH:
        return Verification(CitationStatus.RETRACTED, record.retracted, record)
    return found


def comparison(request: CitationRequest, record: WorkRecord) -> Verification:
    """Whether a record is of the work that was asked for, and whether it was described rightly."""
    if request.title and not has_title((record.title, *record.titles), request.title):
        return Verification(
            CitationStatus.MISMATCH, f"{record.identifier} is another work: “{one_line(record.title, 120)}”"
        )
    faults = list(faults_of(request, record))
    if faults:
        return Verification(CitationStatus.MISDESCRIBED, "; ".join(faults), record)
    return Verification(CitationStatus.VERIFIED, f"as {record.source} has it", record)


def faults_of(request: CitationRequest, record: WorkRecord) -> Iterator[str]:
    """What a request says wrongly about the right work, and what it should say."""
    first = record.authors[0] if record.authors else ""
    if not request.title:
        yield f"no title is given: it is “{one_line(record.title, 120)}”"
    if not request.authors:
        yield f"no author is given: the first one is {one_line(first, 60) or 'not in the record either'}"
    elif not has_family(first, request.authors[0]):
        recorded = one_line(first, 60) or "not in the record"
        yield f"the first author is {recorded}, not {one_line(request.authors[0], 60)}"
    years = " or ".join(map(str, record.years)) or "not in the record"
    if request.year is None:
        yield f"no year is given: it is {years}"
    elif all(abs(request.year - year) > 1 for year in record.years):
        yield f"the year is {years}, not {request.year}"
    if request.venue and record.venue and not has_venue(record, request.venue):
        yield f"the venue is “{one_line(record.venue, 80)}”, not “{one_line(request.venue, 60)}”"


def has_venue(record: WorkRecord, wanted: str) -> bool:
    """Whether a venue is that of a record, in full, in part, or by its initials."""
    asked = comparable(wanted)
    for name in map(comparable, (record.venue, *record.venues)):
        initials = "".join(word[0] for word in name.split() if word not in ("of", "on", "the", "and", "in", "for"))
        if asked in name or name in asked or similarity(asked, name) >= SAME_VENUE or asked.split()[:1] == [initials]:
            return True
    return False


def verification_by_title(request: CitationRequest, answers: Answers) -> Verification:
    """A work without an identifier: two registries have to know its title."""
    if not comparable(request.title):
        return Verification(CitationStatus.NOT_FOUND, "its title has no letters")
    known: dict[str, WorkRecord] = {}
    failures = []
    words = " ".join((request.title, *request.authors[:1]))
    for search, asked in ((works_at_crossref, words), (works_at_arxiv, request.title)):
        try:
            for record in filter(lambda each: is_described(request, each), search(asked, answers)):
                known.setdefault(record.source, record)
                known |= {each.source: each for each in confirmations(request, record, answers)}
        except NoAnswer as error:
            failures.append(str(error))
    if len(known) > 1:
        first = next(iter(known.values()))
        return Verification(
            CitationStatus.NO_ID, f"found as {first.identifier}: name this identifier in the request", first
        )
    if failures:
        raise NoAnswer("; ".join(failures))
    return Verification(CitationStatus.NOT_FOUND, "no two registries know a work of this title, author and year")


def is_described(request: CitationRequest, record: WorkRecord) -> bool:
    """Whether title, first author and year are those of a record. Registries name venues differently."""
    return comparison(replace(request, venue=""), record).status is CitationStatus.VERIFIED


def confirmations(request: CitationRequest, record: WorkRecord, answers: Answers) -> Iterator[WorkRecord]:
    """What second sources know about a work that a search found, as far as that is the work asked for."""
    if record.source == "crossref":
        found = (openalex_record(record.doi, answers), scholar_record(f"DOI:{record.doi}", answers))
    else:
        number = record.arxiv
        found = (datacite_record(f"10.48550/arXiv.{number}", answers), scholar_record(f"ARXIV:{number}", answers))
    yield from (each for each in found if each and is_described(request, each))
