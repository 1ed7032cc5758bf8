"""Reads what DataCite answers about a DOI. The DOIs of arXiv are here."""

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

SOURCE = "datacite"
KINDS = {"article": "article", "inproceedings": "inproceedings", "book": "book", "phdthesis": "phdthesis"}


def datacite_record(doi: str, answers: Answers) -> WorkRecord | None:
    """What DataCite knows about a DOI. Returns None if it does not know it."""

    def read(answer: RawAnswer) -> WorkRecord | None:
        if answer.status == 404:
            return None
        about = within(json_of(answer), "data", "attributes")
        if text_at(about, "doi").lower() != doi.lower():
            raise NoAnswer("DataCite answered about another work")
        return record_of(about)

    return answers.ask(SOURCE, f"/dois/{quote(doi, safe='')}", read)


def record_of(about: Any) -> WorkRecord:
    titles = [text_at(row, "title") for row in rows_at(about, "titles")]
    venue = text_at(about, "container", "title")
    kind = KINDS.get(text_at(about, "types", "bibtex"), "misc")
    return WorkRecord(
        source=SOURCE,
        identifier=f"doi:{text_at(about, 'doi')}",
        title=titles[0] if titles else "",
        titles=tuple(titles[1:]),
        authors=tuple(creator_name(row) for row in rows_at(about, "creators")[:AUTHORS]),
        years=years_of([within(about, "publicationYear"), *(text_at(row, "date") for row in rows_at(about, "dates"))]),
        kind=kind if venue or kind in ("book", "phdthesis") else "misc",
        venue=venue,
        volume=text_at(about, "container", "volume"),
        issue=text_at(about, "container", "issue"),
        # a string, or an object since 2023
        publisher=text_at(about, "publisher") or text_at(about, "publisher", "name"),
        doi=text_at(about, "doi"),
        abstract=abstract_in(about),
        retracted=f"DataCite calls it “{titles[0][:60]}”" if titles and RETRACTED_TITLE.match(titles[0]) else "",
    )


def creator_name(row: Any) -> str:
    return person_name(text_at(row, "familyName"), text_at(row, "givenName"), text_at(row, "name"))


def abstract_in(about: Any) -> str:
    rows = rows_at(about, "descriptions")
    found = [within(row, "description") for row in rows if text_at(row, "descriptionType") == "Abstract"]
    return abstract_of(found[0]) if found else ""
