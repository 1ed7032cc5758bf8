"""Numbers from the literature: the only ones that anybody types, so each has to stand in the work that it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from flagstone.artifacts.rules import RuleCheck, failed_check
from flagstone.paper.citations import References
from flagstone.paper.facts import FactBook
from flagstone.text import one_line

ABSTRACT = "abstract"  # where the registry sent it
QUOTE_LENGTH = 160  # as the verification lists it


def literature_checks(book: FactBook, references: References, is_offered: Callable[[str], bool]) -> Iterator[RuleCheck]:
    """One failed check for each fact whose quote was not found in the work that it names.

    A text that somebody stored counts if a stage before the paper offers it: its author could have written any number.
    """
    rows = {row.key: row for row in references.rows}
    for fact in book.facts.values():
        if fact.kind != "literature":
            continue
        row = rows.get(fact.cite)
        places = {plain(each.quote): each.place for each in row.quotes if each.place} if row else {}
        place = places.get(plain(fact.quote), "")
        if row is None:
            problem = f"its work {fact.cite} is not cited in the text; cite it where the number stands"
        elif len(" ".join(fact.quote.split())) > QUOTE_LENGTH:
            problem = f"its quote is longer than {QUOTE_LENGTH} characters; quote the words around the number"
        elif not place:
            problem = f"its quote was not found in {fact.cite}; add it to the claims of that work in sources.json"
        elif place != ABSTRACT and not is_offered(place):
            problem = f"its quote stands only in {place}, which no stage before this one offers; list it in one"
        else:
            continue
        yield failed_check("paper-facts", f"facts.yaml:{fact.key}: {problem}, or take the number out")


def plain(quote: str) -> str:
    """A quote as the verification lists it, in one form of spaces and case."""
    return re.sub(r"\s+", " ", one_line(quote, QUOTE_LENGTH)).casefold().strip()
