"""Reads a person's own .bib: what it says is a request like any other, and its good entries survive a broken one."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from flagstone.paper.citations.registries import tex_decoded
from flagstone.paper.citations.requests import KEY, CitationRequest, request_of
from flagstone.text import count_text

BIB_BYTES = 4_000_000
ARXIV = re.compile(r"arxiv[:\s.]*((?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?)", re.IGNORECASE)


def bib_fields(text: str) -> tuple[Mapping[str, Mapping[str, str]], int]:
    """The fields of each entry by its key, and how many entries are broken or there twice."""
    from bibtexparser.entrypoint import parse_string

    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)  # it tells the terminal of each broken entry
    library = parse_string(text)
    found = {
        str(entry.key): {name.lower(): str(field.value) for name, field in entry.fields_dict.items()}
        for entry in library.entries
    }
    return found, len(library.failed_blocks)


def requests_in(text: str) -> tuple[list[CitationRequest], list[str]]:
    """The entries of a .bib as requests, and what could not be taken over."""
    entries, broken = bib_fields(text)
    problems = [f"{count_text(broken, 'entry', 'entries')} broken, or there twice: left out"] if broken else []
    found = []
    for key, fields in entries.items():
        request = request_of(row_of_entry(key, fields))
        if request is None:
            problems.append(f"the key “{key[:60]}” cannot be cited: use letters, digits, : . _ + -")
        else:
            found.append(request)
    return found, problems


def row_of_entry(key: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """An entry as a row of sources.json."""
    number = ARXIV.search(" ".join(fields.get(name, "") for name in ("note", "journal", "url", "doi")))
    eprint = fields.get("eprint", "") if fields.get("archiveprefix", "arxiv").lower() == "arxiv" else ""
    authors = re.split(r"\s+and\s+", fields.get("author", ""))
    venue = fields.get("journal") or fields.get("booktitle") or ""
    return {
        "key": key if KEY.match(key) else None,
        "title": plain_words(fields.get("title", "")),
        "authors": [plain_words(name) for name in authors if name and name != "others"],
        "year": fields.get("year", ""),
        "venue": "" if ARXIV.search(venue) else plain_words(venue),
        "doi": fields.get("doi", ""),
        "arxiv": eprint or (number[1] if number else ""),
    }


def plain_words(text: str) -> str:
    return " ".join(tex_decoded(text).split())
