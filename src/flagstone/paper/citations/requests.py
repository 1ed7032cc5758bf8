"""What a paper's authors say about the works they cite: workspace/literature/sources.json."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flagstone.artifacts.formats import Unreadable, loads_strict, read_bounded
from flagstone.layout import Run
from flagstone.records import digest_value
from flagstone.text import escaped_text, printable_text

SOURCES = "workspace/literature/sources.json"
SOURCES_BYTES = 8_000_000
MOST = 5_000  # works of one paper
KEY = re.compile(r"[A-Za-z][A-Za-z0-9:._+-]{0,79}\Z")
TEXT = 1_000  # characters of a field that we read


@dataclass(frozen=True)
class StoredQuote:
    """A sentence of a cited work, and what it is quoted for."""

    quote: str
    statement: str = ""
    place: str = ""


@dataclass(frozen=True)
class CitationRequest:
    """A work as the authors describe it. Nothing here is believed before a registry confirms it."""

    key: str
    title: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str = ""
    doi: str = ""
    arxiv: str = ""
    quotes: tuple[StoredQuote, ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str:
        """Of everything that says which work is meant: a waiver is about exactly this."""
        meant = (self.key, self.title, list(self.authors), self.year, self.venue, self.doi, self.arxiv)
        return digest_value(meant)


@dataclass(frozen=True)
class CitationRequests:
    """The requests of a run by key, and what is wrong with the file."""

    by_key: Mapping[str, CitationRequest]
    problems: tuple[str, ...] = ()


def read_requests(run: Run) -> CitationRequests:
    """Reads the requests of a run. A row that is none is named and left out."""
    try:
        value = loads_strict(read_bounded(run.root / SOURCES, run.root, SOURCES_BYTES).decode())
    except (Unreadable, ValueError) as error:
        return CitationRequests({}, (f"{SOURCES} cannot be used: {error}",))
    rows = value.get("sources") if isinstance(value, dict) else value
    if not isinstance(rows, list):
        return CitationRequests({}, (f"{SOURCES} holds no list `sources`",))
    if len(rows) > MOST:
        return CitationRequests({}, (f"{SOURCES} holds {len(rows)} works; at most {MOST} are read",))
    found: dict[str, CitationRequest] = {}
    problems = []
    for number, row in enumerate(rows, 1):
        request = request_of(row)
        if request is None:
            problems.append(f"{SOURCES}: row {number} has no key that can be cited (letters, digits, : . _ + -)")
        elif request.key in found:
            problems.append(f"{SOURCES}: the key {request.key} stands there twice; the first one counts")
        else:
            found[request.key] = request
    return CitationRequests(found, tuple(problems))


def request_of(row: Any) -> CitationRequest | None:
    """One row of sources.json. Returns None if it has no usable key."""
    if not isinstance(row, dict) or not isinstance(row.get("key"), str) or not KEY.match(row["key"]):
        return None
    authors = row.get("authors")
    year = row.get("year")
    return CitationRequest(
        key=row["key"],
        title=field_text(row.get("title")),
        authors=tuple(field_text(name) for name in authors[:1000] if name) if isinstance(authors, list) else (),
        year=int(year) if isinstance(year, int | str) and re.fullmatch(r"\d{3,4}", str(year)) else None,
        venue=field_text(row.get("venue")),
        doi=bare_doi(field_text(row.get("doi"))),
        arxiv=bare_arxiv(field_text(row.get("arxiv"))),
        quotes=tuple(quotes_in(row.get("claims"))),
    )


def quotes_in(claims: Any) -> list[StoredQuote]:
    rows = [row for row in claims if isinstance(row, dict) and row.get("quote")] if isinstance(claims, list) else []
    return [
        StoredQuote(str(row["quote"]), str(row.get("statement", "")), str(row.get("place", ""))) for row in rows[:200]
    ]


def field_text(value: object) -> str:
    return printable_text(value[:TEXT]).strip() if isinstance(value, str) else ""


def bare_doi(text: str) -> str:
    """A DOI without what people write before it."""
    return re.sub(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", "", text, flags=re.IGNORECASE).strip()


def bare_arxiv(text: str) -> str:
    """An arXiv number without what people write before it."""
    return re.sub(r"^(?:https?://arxiv\.org/(?:abs|pdf)/|arxiv:\s*)", "", text, flags=re.IGNORECASE).strip()


def key_text(key: str) -> str:
    return escaped_text(key, 80)


def row_of(request: CitationRequest) -> dict[str, object]:
    """A request as it is written to sources.json."""
    named = {
        "title": request.title,
        "authors": list(request.authors),
        "year": request.year,
        "venue": request.venue,
        "doi": request.doi,
        "arxiv": request.arxiv,
    }
    return {"key": request.key, **{name: value for name, value in named.items() if value}}


def sources_text(rows: list[dict[str, object]]) -> bytes:
    return json.dumps({"sources": rows}, indent=1, ensure_ascii=False).encode() + b"\n"
