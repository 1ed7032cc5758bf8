"""Digit strings that only their place on a page explains: page numbers, running heads, numbers of items."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flagstone.paper.auditing.digits import DigitString, digits_printed, plain_text
from flagstone.paper.auditing.expectations import ANY

EDGE_LINES = 3
# small capitals may be read as “R EFERENCES”
REFERENCES = re.compile(r"^(?:\d+\.?|[IVX]+\.|[A-Z]\.?)?\s*(?:r ?eferences|b ?ibliography)\s*$", re.I | re.M)
# the number of a heading is expected where it stands, and its copies in running heads are not: those come last
UNSURE = ("head", "page in head")
NUMBER_OF_THEOREM = re.compile(r"\b([a-z]+)\s$", re.I)


@dataclass
class Places:
    """How many numbers of each kind may still stand in a place of their own. `labels` are the pages' own numbers."""

    labels: Sequence[str]
    headings: Sequence[str]
    lists: Mapping[str, Counter[str]]
    numbered_pages: set[int] = field(default_factory=set)
    numbers: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, labels: Sequence[str], headings: Sequence[str], lists: Mapping[str, Counter[str]]) -> Places:
        folded = [folded_text(each) for each in headings]
        return cls(labels, [each for each in folded if each], {kind: numbers.copy() for kind, numbers in lists.items()})

    def take(self, found: DigitString, text: str) -> bool:
        """Uses one place up. False if there is none left."""
        place = self.place_of(found, text)
        if place in ("page", "page in head"):
            is_free = found.page not in self.numbered_pages
            self.numbered_pages.add(found.page)
            return is_free
        if place in ("", "head"):
            return place == "head"
        left = self.lists[place]
        if left[found.text] > 0:
            left[found.text] -= 1
            return True
        is_free = left[ANY] > 0 and (place, found.text) not in self.numbers
        self.numbers.add((place, found.text))
        left[ANY] -= is_free
        return is_free

    def place_of(self, found: DigitString, text: str) -> str:
        """`page`, `page in head`, `head`, or the name of a list. Empty if this is no place for a number."""
        start, end = line_of(found, text)
        before, after = text[start : found.start], text[found.end : end]
        edge = edge_around(start, text)
        is_outer = bool(edge) and is_apart(before, after)
        if found.text == self.labels[found.page - 1] and (is_outer or is_block(start, end, text)):
            return "page" if is_block(start, end, text) else "page in head"
        if edge and found.page > 1 and self.is_in_head(found, edge):
            return "head"
        if "equation" in self.lists and before.endswith("(") and after.strip() == ")":
            return "equation"
        if "item" in self.lists and (before.strip(), after[:1]) in (("", "."), ("", ")"), ("(", ")")):
            return "item"
        name = NUMBER_OF_THEOREM.search(before)
        return name[1].lower() if name and name[1].lower() in self.lists else ""

    def is_in_head(self, found: DigitString, edge: str) -> bool:
        words = folded_text(edge)
        return any(title in words and found.text in digits_printed([title]) for title in self.headings)


def edge_around(start: int, text: str) -> str:
    """The first or the last lines of the page, whichever a line is among. Empty if it is further inside."""
    if text[:start].strip().count("\n") < EDGE_LINES:
        return "\n".join(text.split("\n\n")[:EDGE_LINES])
    return "\n".join(text.rstrip().split("\n")[-EDGE_LINES:]) if text[start:].strip().count("\n") < EDGE_LINES else ""


def line_of(found: DigitString, text: str) -> tuple[int, int]:
    end = text.find("\n", found.end)
    return text.rfind("\n", 0, found.start) + 1, len(text) if end < 0 else end


def is_apart(before: str, after: str) -> bool:
    """Whether it is the first or the last word of its line."""
    return (not before.strip() and not after[:1].strip()) or (not after.strip() and not before[-1:].strip())


def is_block(start: int, end: int, text: str) -> bool:
    """Whether a line is a paragraph of one number."""
    is_apart = text[max(0, start - 2) : start] in ("", "\n\n") and text[end : end + 2].strip() == ""
    return is_apart and text[start:end].strip(" -|").isdecimal()


def folded_text(text: str) -> str:
    return " ".join(plain_text(text).casefold().split())


def references_begin(pages: Sequence[str]) -> tuple[int, int]:
    """The page and the character at which the bibliography begins; the very beginning if it has no heading."""
    for number in range(len(pages), 0, -1):
        found = list(REFERENCES.finditer(pages[number - 1]))
        if found:
            return number, found[-1].end()
    return 0, 0
