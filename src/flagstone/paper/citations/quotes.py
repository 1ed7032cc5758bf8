"""Whether what is quoted from a work stands in its abstract, or in the text of it that the run has stored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from flagstone.artifacts.formats import Unreadable, read_bounded
from flagstone.layout import Run
from flagstone.paper.citations.lookup import LookedUpWork
from flagstone.paper.citations.registries import plain_text
from flagstone.paper.citations.requests import CitationRequest
from flagstone.paper.citations.verifying import Verification
from flagstone.text import one_line

TEXTS = "workspace/literature/texts"
ENDINGS = (".txt", ".md")
TEXT_BYTES = 5_000_000
FEWEST_WORDS = 4  # fewer stand in any text


@dataclass(frozen=True)
class QuoteCheck:
    """A quote, and where it stands: `abstract`, the path of a stored text, or '' if nowhere."""

    quote: str
    place: str


def quote_checks(run: Run, work: LookedUpWork) -> tuple[QuoteCheck, ...]:
    """Looks for each quote of a request."""
    request = work.request
    if not request.quotes:
        return ()
    texts = {place: bare(text) for place, text in texts_of(run, request, work.verification)}
    found = []
    for quote in request.quotes:
        wanted = bare(quote)
        is_long = len(wanted.split()) >= FEWEST_WORDS
        place = next((place for place, text in texts.items() if is_long and wanted in text), "")
        found.append(QuoteCheck(one_line(quote, 160), place))
    return tuple(found)


def texts_of(run: Run, request: CitationRequest, verification: Verification) -> Iterator[tuple[str, str]]:
    """The abstract that a registry sent, then the texts that somebody stored."""
    if verification.record and verification.record.abstract:
        yield "abstract", verification.record.abstract
    for ending in ENDINGS:
        path = f"{TEXTS}/{request.key}{ending}"
        try:
            yield path, read_bounded(run.root / path, run.root, TEXT_BYTES).decode("utf-8", "replace")
        except Unreadable:
            continue


def bare(text: str) -> str:
    """A text without case, marks, punctuation, and hyphens at the ends of lines."""
    joined = re.sub(r"(\w)[-\u00ad]\s*\n\s*(\w)", r"\1\2", text)
    plain = unicodedata.normalize("NFKD", plain_text(joined).casefold())
    return " ".join(re.sub(r"[\W_]+", " ", "".join(c for c in plain if not unicodedata.combining(c))).split())
