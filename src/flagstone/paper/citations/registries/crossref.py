"""Reads what Crossref answers about a DOI."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flagstone.paper.citations.registries.answers import Answers, NoAnswer, RawAnswer
from flagstone.paper.citations.registries.matching import RETRACTED_TITLE
from flagstone.paper.citations.registries.record import (
    AUTHORS,
    WorkRecord,
    abstract_of,
    json_of,
    person_name,
    rows_at,
    text_at,
    within,
    years_of,
)

SOURCE = "crossref"
KINDS = {
    "journal-article": "article",
    "proceedings-article": "inproceedings",
    "book-chapter": "incollection",
    "book": "book",
    "monograph": "book",
    "edited-book": "book",
    "reference-book": "book",
    "dissertation": "phdthesis",
    "report": "techreport",
}
DATES = ("published-print", "issued", "published-online", "published")
RETRACTIONS = ("retraction", "partial_retraction", "withdrawal", "removal")


def work_path(doi: str) -> str:
    return f"/works/{quote(doi, safe='')}"


def crossref_record(doi: str, answers: Answers) -> WorkRecord | None:
    """What Crossref knows about a DOI. Returns None if it does not know it."""

    def read(answer: RawAnswer) -> WorkRecord | None:
        if answer.status == 404:
            return None
        message = within(json_of(answer), "message")
        if text_at(message, "DOI").lower() != doi.lower():
            raise NoAnswer("Crossref answered about another work")
        return record_of(message)

    return answers.ask(SOURCE, work_path(doi), read)


def search_path(words: str) -> str:
    return f"/works?query.bibliographic={quote(words[:300], safe='')}&rows=5"


def works_at_crossref(words: str, answers: Answers) -> list[WorkRecord]:
    """The works that Crossref finds for these words."""
    return answers.ask(SOURCE, search_path(words), found_works)


def found_works(answer: RawAnswer) -> list[WorkRecord]:
    """The works that a search found."""
    return [record_of(row) for row in rows_at(json_of(answer), "message", "items")[:20]]


def record_of(message: Any) -> WorkRecord:
    title, subtitle = text_at(message, "title", 0), text_at(message, "subtitle", 0)
    doi = text_at(message, "DOI")
    return WorkRecord(
        source=SOURCE,
        identifier=f"doi:{doi}",
        title=title if not subtitle or subtitle.lower() in title.lower() else f"{title}: {subtitle}",
        titles=(title, *(text_at(message, "original-title", 0),) * bool(within(message, "original-title", 0))),
        authors=tuple(author_name(row) for row in rows_at(message, "author")[:AUTHORS]),
        years=years_of(within(message, date, "date-parts", 0, 0) for date in DATES),
        kind=KINDS.get(text_at(message, "type"), "misc"),
        venue=text_at(message, "container-title", 0),
        venues=tuple(filter(None, (text_at(message, "short-container-title", 0), text_at(message, "event", "name")))),
        volume=text_at(message, "volume"),
        issue=text_at(message, "issue"),
        pages=text_at(message, "page"),
        publisher=text_at(message, "publisher"),
        doi=doi,
        abstract=abstract_of(within(message, "abstract")),
        retracted=retraction_of(message, title),
    )


def author_name(row: Any) -> str:
    return person_name(text_at(row, "family"), text_at(row, "given"), text_at(row, "name"))


def retraction_of(message: Any, title: str) -> str:
    """Why the work does not hold, as its own record says. What it says in `update-to` is about another work."""
    for row in rows_at(message, "updated-by"):
        if text_at(row, "type").lower() in RETRACTIONS:
            return f"Crossref lists its {text_at(row, 'type')}, {text_at(row, 'DOI') or 'without a DOI'}"
    return f"Crossref calls it “{title[:60]}”" if RETRACTED_TITLE.match(title) else ""


def notice_path(doi: str) -> str:
    """The question for retractions of a DOI that its own record may not mention."""
    return f"/works?filter={quote(f'updates:{doi},update-type:retraction', safe='')}&rows=1"


def notice_of(doi: str, answers: Answers) -> str:
    """The notice that retracts a DOI, in words; '' if there is none. Crossref refuses this question about some DOIs."""
    return answers.ask(SOURCE, notice_path(doi), notice_in)


def notice_in(answer: RawAnswer) -> str:
    message = within(json_of(answer), "message")
    count = within(message, "total-results")
    if answer.status != 200 or not isinstance(count, int):
        raise NoAnswer("Crossref did not say whether a notice retracts it")
    notice = text_at(message, "items", 0, "DOI") or "whose DOI is not named"
    return f"a notice at Crossref retracts it: {notice}" if count else ""
