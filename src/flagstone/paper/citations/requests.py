"""What a paper's authors say about the works they cite, in the two files named sources.json."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from flagstone.artifacts.formats import Unreadable, loads_strict, read_bounded
from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.locks import sole_use
from flagstone.paper.citations.registries import WorkRecord, comparable
from flagstone.paper.facts import Permission
from flagstone.records import digest_value, write_atomic
from flagstone.text import printable_text

SOURCES = "workspace/literature/sources.json"
OWN_SOURCES = "workspace/writing/sources.json"  # what the paper adds: the survey's file is approved by then
SOURCES_BYTES = 8_000_000
MOST = 5_000  # works of one paper
KEY = re.compile(r"[A-Za-z][A-Za-z0-9:._+-]{0,79}\Z")
MOST_AUTHORS = 50  # that are taken over from a record
TEXT = 1_000  # characters of a field that we read


@dataclass(frozen=True)
class CitationRequest:
    """A work as the authors describe it. Nothing here is believed before a registry confirms it.

    `quotes` are sentences of the work that the paper rests on.
    """

    key: str
    title: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None
    venue: str = ""
    doi: str = ""
    arxiv: str = ""
    quotes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str:
        """Of everything that says which work is meant: a waiver is about exactly this."""
        meant = (self.key, self.title, list(self.authors), self.year, self.venue, self.doi, self.arxiv)
        return digest_value(meant)

    def without_key(self) -> CitationRequest:
        """The same, to be named by its record."""
        return replace(self, key="")


@dataclass(frozen=True)
class CitationRequests:
    """The requests of a run by key, and what is wrong with the file."""

    by_key: Mapping[str, CitationRequest]
    problems: tuple[str, ...] = ()


def read_requests(run: Run) -> CitationRequests:
    """Reads the requests of the survey, and what the paper adds. A row that is none is named and left out."""
    surveyed, own = requests_in_file(run, SOURCES), requests_in_file(run, OWN_SOURCES)
    found = dict(surveyed.by_key)
    for key, request in own.by_key.items():
        found[key] = with_additions(found[key], request) if key in found else request
    return CitationRequests(found, (*surveyed.problems, *own.problems))


def with_additions(first: CitationRequest, second: CitationRequest) -> CitationRequest:
    """A request of the survey, with what the paper says about the same work: it counts, and its quotes are added."""
    said = {each.name: value for each in fields(second) if (value := getattr(second, each.name))}
    return replace(first, **{**said, "quotes": (*first.quotes, *second.quotes)})


def requests_in_file(run: Run, file: str) -> CitationRequests:
    if not os.path.lexists(run.root / file):
        return CitationRequests({}, ())
    try:
        value = loads_strict(read_bounded(run.root / file, run.root, SOURCES_BYTES).decode())
    except (Unreadable, ValueError) as error:
        return CitationRequests({}, (f"{file} cannot be used: {error}",))
    rows = value.get("sources") if isinstance(value, dict) else value
    if not isinstance(rows, list):
        return CitationRequests({}, (f"{file} holds no list `sources`",))
    if len(rows) > MOST:
        return CitationRequests({}, (f"{file} holds {len(rows)} works; at most {MOST} are read",))
    found: dict[str, CitationRequest] = {}
    problems = []
    for number, row in enumerate(rows, 1):
        request = request_of(row)
        if request is None:
            problems.append(f"{file}: row {number} has no key that can be cited (letters, digits, : . _ + -)")
        elif request.key in found:
            problems.append(f"{file}: the key {request.key} stands there twice; the first one counts")
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


def quotes_in(claims: Any) -> list[str]:
    rows = [row for row in claims if isinstance(row, dict) and row.get("quote")] if isinstance(claims, list) else []
    return [str(row["quote"]) for row in rows[:200]]


def field_text(value: object) -> str:
    return printable_text(value[:TEXT]).strip() if isinstance(value, str) else ""


def bare_doi(text: str) -> str:
    """A DOI without what people write before it."""
    return re.sub(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", "", text, flags=re.IGNORECASE).strip()


def bare_arxiv(text: str) -> str:
    """An arXiv number without what people write before it."""
    return re.sub(r"^(?:https?://arxiv\.org/(?:abs|pdf)/|arxiv:\s*)", "", text, flags=re.IGNORECASE).strip()


def with_record(request: CitationRequest, record: WorkRecord) -> CitationRequest:
    """A request, with what it does not say taken from a record."""
    return replace(
        request,
        key=request.key or key_of(record),
        title=request.title or record.title,
        authors=request.authors or record.authors[:MOST_AUTHORS],
        year=request.year or (record.years[0] if record.years else None),
        venue=request.venue or record.venue,
        doi=request.doi or ("" if request.arxiv or record.source == "arxiv" else record.doi),
        arxiv=request.arxiv or ("" if request.doi else record.arxiv),
    )


def key_of(record: WorkRecord) -> str:
    """A key as people write them, such as `aspelmeyer2009measured`."""
    family = record.authors[0].partition(",")[0].split()[-1:] if record.authors else []
    words = [word for word in comparable(record.title).split() if word not in ("a", "an", "the", "on")]
    text = "".join([*family, *(str(year) for year in record.years[:1]), *words[:1]])
    return re.sub(r"[^a-z0-9]|^[^a-z]+", "", comparable(text).replace(" ", ""))[:60] or "work"


def add_requests(run: Run, requests: Sequence[CitationRequest]) -> list[str]:
    """Adds requests to sources.json. Those whose key is there already are left out, and their keys returned."""
    file = open_file(run)
    path = run.root / file
    if not path.parent.resolve().is_relative_to(run.root.resolve()):
        raise FlagstoneError(f"{path.parent} leads out of the run", hint="replace the link by a folder")
    with sole_use(path.parent / ".sources.lock"):
        value = sources_in(run, file)
        taken = read_requests(run).by_key
        new = [request for request in requests if request.key not in taken]
        value["sources"] += [row_of_request(request) for request in new]
        if new:
            write_atomic(path, json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n")
    return [request.key for request in requests if request.key in taken]


def open_file(run: Run) -> str:
    """The file that a request is added to: the paper's own if a stage has offered that of the survey."""
    return OWN_SOURCES if SOURCES in Permission.of(run).offered else SOURCES


def sources_in(run: Run, file: str) -> dict[str, Any]:
    """The content of sources.json, to be added to. Raises an error if nothing can be added."""
    path = run.root / file
    if not path.exists():
        return {"sources": []}
    try:
        value = loads_strict(read_bounded(path, run.root, SOURCES_BYTES).decode())
    except (Unreadable, ValueError) as error:
        raise FlagstoneError(f"{file} cannot be used: {error}", hint="correct it, or move it away") from error
    if not isinstance(value, dict) or not isinstance(value.get("sources"), list):
        raise FlagstoneError(f"{file} holds no list `sources`", hint='write {"sources": []} into it')
    return value


def row_of_request(request: CitationRequest) -> dict[str, object]:
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
