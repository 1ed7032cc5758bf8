"""Reads what arXiv answers: an Atom feed, in which an unknown number is an entry called Error."""

from __future__ import annotations

import re
from urllib.parse import quote
from xml.etree import ElementTree

from flagstone.paper.citations.registries.answers import Answers, NoAnswer, RawAnswer
from flagstone.paper.citations.registries.matching import plain_text, tex_decoded
from flagstone.paper.citations.registries.record import AUTHORS, LONGEST, WorkRecord, abstract_of, years_of

SOURCE = "arxiv"
ATOM, OWN = "{http://www.w3.org/2005/Atom}", "{http://arxiv.org/schemas/atom}"
NUMBER = re.compile(r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(v[1-9]\d{0,2})?\Z")
OF_DOI = re.compile(r"10\.48550/arxiv\.(.+)\Z", re.IGNORECASE)
WITHDRAWN = re.compile(r"\bwithdrawn\b|\b(?:been|was|is) retracted\b", re.IGNORECASE)


def query_path(number: str) -> str:
    return f"/api/query?id_list={quote(number, safe='')}"


def search_path(title: str) -> str:
    words = " ".join(re.findall(r"\w+", title[:300]))
    phrase = quote(f'ti:"{words}"', safe="")
    return f"/api/query?search_query={phrase}&max_results=5"


def works_at_arxiv(title: str, answers: Answers) -> list[WorkRecord]:
    """The works that arXiv finds with these words in their title."""
    return answers.ask(SOURCE, search_path(title), found_works)


def works_at_arxiv_with(words: str, answers: Answers) -> list[WorkRecord]:
    """The works that arXiv finds with these words anywhere in their record."""
    each = " AND ".join(f"all:{word}" for word in re.findall(r"\w+", words[:300])[:20])
    return answers.ask(SOURCE, f"/api/query?search_query={quote(each, safe='')}&max_results=5", found_works)


def arxiv_record(number: str, answers: Answers) -> WorkRecord | None:
    """What arXiv knows about a number, in the version that it names. Returns None if there is no such number."""

    def read(answer: RawAnswer) -> WorkRecord | None:
        found = found_works(answer)
        if not found:
            return None
        wanted, got = NUMBER.match(number), NUMBER.match(found[0].identifier.removeprefix("arXiv:"))
        if not wanted or not got or wanted[1] != got[1] or wanted[2] not in (None, got[2]):
            raise NoAnswer(f"arXiv answered about {found[0].identifier}, not about {number}")
        return found[0]

    return answers.ask(SOURCE, query_path(number), read)


def found_works(answer: RawAnswer) -> list[WorkRecord]:
    """The entries of a feed. An entry called Error is none."""
    entries = feed_of(answer).findall(f"{ATOM}entry")
    return [record_of(entry) for entry in entries if plain_text(entry.findtext(f"{ATOM}title") or "") != "Error"]


def feed_of(answer: RawAnswer) -> ElementTree.Element:
    """The feed of an answer. Raises NoAnswer if it is none, or defines entities, which a feed has no use for."""
    try:
        if "<!" in answer.body.replace("<![CDATA[", ""):
            raise ElementTree.ParseError
        feed = ElementTree.fromstring(answer.body)
    except (ElementTree.ParseError, ValueError):
        raise NoAnswer("arXiv answered with something that is no feed") from None
    if feed.tag != f"{ATOM}feed":
        raise NoAnswer("arXiv answered with something that is no feed")
    return feed


def record_of(entry: ElementTree.Element) -> WorkRecord:
    number = (entry.findtext(f"{ATOM}id") or "").rpartition("/abs/")[2].strip()[:60]
    comment = plain_text(entry.findtext(f"{OWN}comment") or "")
    names = [plain_text(author.findtext(f"{ATOM}name") or "") for author in entry.findall(f"{ATOM}author")]
    dates = (entry.findtext(f"{ATOM}published"), entry.findtext(f"{ATOM}updated"))
    return WorkRecord(
        source=SOURCE,
        identifier=f"arXiv:{number}",
        title=tex_decoded(plain_text(entry.findtext(f"{ATOM}title") or "")[:LONGEST]),
        authors=tuple(tex_decoded(name)[:LONGEST] for name in names[:AUTHORS] if name),
        years=years_of(dates),
        doi=(entry.findtext(f"{OWN}doi") or "").strip()[:LONGEST],
        abstract=abstract_of(entry.findtext(f"{ATOM}summary")),
        retracted=f"its comment at arXiv says “{comment[:100]}”" if WITHDRAWN.search(comment) else "",
    )
