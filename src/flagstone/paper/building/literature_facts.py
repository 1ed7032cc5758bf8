"""Numbers from the literature: the only ones that anybody types, so each has to stand in the work that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flagstone.artifacts.rules import RuleCheck, failed_check
from flagstone.paper.citations import References
from flagstone.paper.facts import FactBook
from flagstone.text import one_line


def literature_checks(book: FactBook, references: References) -> Iterator[RuleCheck]:
    """One failed check for each fact whose quote was not found in the work that it names."""
    rows = {row.key: row for row in references.rows}
    for fact in book.facts.values():
        if fact.kind != "literature":
            continue
        row = rows.get(fact.cite)
        found = {plain(each.quote) for each in row.quotes if each.place} if row else set()
        if row is None:
            problem = f"its work {fact.cite} is not cited in the text; cite it where the number stands"
        elif plain(fact.quote) not in found:
            problem = f"its quote was not found in {fact.cite}; add it to the claims of that work in sources.json"
        else:
            continue
        yield failed_check("paper-facts", f"facts.yaml:{fact.key}: {problem}, or take the number out")


def plain(quote: str) -> str:
    """A quote as the verification lists it, in one form of spaces and case."""
    return re.sub(r"\s+", " ", one_line(quote, 160)).casefold().strip()
