"""Reads what OpenAlex and Semantic Scholar answer: they confirm what another registry said, or know a retraction."""

from __future__ import annotations

from urllib.parse import quote

from flagstone.paper.citations.registries.answers import Answers, NoAnswer, RawAnswer
from flagstone.paper.citations.registries.matching import has_title
from flagstone.paper.citations.registries.record import AUTHORS, WorkRecord, json_of, rows_at, text_at, within, years_of

OPENALEX, SEMANTIC_SCHOLAR = "openalex", "semantic_scholar"
FIELDS = "id,doi,title,publication_year,authorships,is_retracted,primary_location"


def openalex_path(doi: str) -> str:
    return f"/works/doi:{quote(doi, safe='')}?select={FIELDS}"


def openalex_record(doi: str, answers: Answers) -> WorkRecord | None:
    """What OpenAlex knows about a DOI. Returns None if it does not know it."""

    def read(answer: RawAnswer) -> WorkRecord | None:
        if answer.status == 404:
            return None
        work = json_of(answer)
        if not text_at(work, "title") or not isinstance(within(work, "is_retracted"), bool):
            raise NoAnswer("OpenAlex answered without saying whether the work is retracted")
        return WorkRecord(
            source=OPENALEX,
            identifier=f"doi:{doi}",
            title=text_at(work, "title"),
            authors=tuple(text_at(row, "author", "display_name") for row in rows_at(work, "authorships")[:AUTHORS]),
            years=years_of([within(work, "publication_year")]),
            venue=text_at(work, "primary_location", "source", "display_name"),
            doi=doi,
            retracted="OpenAlex marks it as retracted" if within(work, "is_retracted") else "",
        )

    return answers.ask(OPENALEX, openalex_path(doi), read)


def flag_of(doi: str, record: WorkRecord, answers: Answers) -> str:
    """Whether OpenAlex marks a work as retracted, in words. '' if it does not, or does not know the work."""
    known = openalex_record(doi, answers)
    if known is None:
        return ""
    # works that were merged are answered under another name
    if not has_title((known.title,), record.title):
        raise NoAnswer(f"OpenAlex answered about another work, “{known.title[:80]}”")
    return known.retracted


def scholar_path(identifier: str) -> str:
    """Of a work by `DOI:…` or `ARXIV:…`."""
    kind, _, name = identifier.partition(":")
    return f"/graph/v1/paper/{kind}:{quote(name, safe='')}?fields=title,authors,year,externalIds"


def scholar_record(identifier: str, answers: Answers) -> WorkRecord | None:
    """What Semantic Scholar knows about a work. Returns None also if it does not answer, as is normal without a key."""
    try:
        work = answers.ask(SEMANTIC_SCHOLAR, scholar_path(identifier), json_of)
    except NoAnswer:
        return None
    if not text_at(work, "title"):
        return None
    return WorkRecord(
        source=SEMANTIC_SCHOLAR,
        identifier=identifier,
        title=text_at(work, "title"),
        authors=tuple(text_at(row, "name") for row in rows_at(work, "authors")[:AUTHORS]),
        years=years_of([within(work, "year")]),
    )
