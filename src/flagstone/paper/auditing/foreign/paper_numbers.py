"""The numbers of a paper that could be results: not its structure, references, or parts of names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from flagstone.paper.auditing.digits import DigitString, context_of, digit_strings
from flagstone.paper.auditing.places import line_of, references_begin

BEFORE_STRUCTURE = re.compile(
    r"(?:\b(?:section|sec|figure|fig|table|tab|equation|eq|eqs|algorithm|appendix|theorem|lemma|chapter|page|pages"
    r"|arxiv|doi|vol|no|isbn|version)s?\.?[\s:(]*|§\s*|https?://\S*|www\.\S*|@\S*)$",
    re.I,
)
HEADING = re.compile(r"^\d+(?:\.\d+)+\.?(?:\s+[A-Z]|\s*$)")
CITED = re.compile(r"\[[^\[\]]{0,60}$")
CLOSES = re.compile(r"^[^\[\]]{0,60}\]")
EXPONENT = re.compile(r"^\s?[x×·]\s?10\s?(-?\d{1,2})\b|^e([-+]?\d{1,2})\b")


@dataclass(frozen=True)
class PaperNumber:
    """A number as it is printed: `value` without its sign, and the size of its last digit."""

    text: str
    page: int
    context: str
    value: float
    last_digit: float


def numbers_of(pages: Sequence[str]) -> Iterator[PaperNumber]:
    """Each number of the text before the references."""
    first = references_begin(pages)
    headings: set[str] = set()
    for number, text in enumerate(pages, start=1):
        for found in digit_strings(text, number):
            is_behind = first != (0, 0) and (number, found.start) >= first
            if is_behind or is_structure(found, text):
                continue
            if is_next_heading(found, text, headings):
                headings.add(found.text)
                continue
            yield number_of(found, text)


def is_next_heading(found: DigitString, text: str, headings: Collection[str]) -> bool:
    """Whether it numbers a heading: it begins its line, and the heading before it was there: 3.1 before 3.2."""
    start, end = line_of(found, text)
    if text[start : found.start].strip() or not HEADING.match(text[start:end].strip()):
        return False
    above, _, last = found.text.rpartition(".")
    return last == "1" or f"{above}.{int(last) - 1}" in headings


def is_structure(found: DigitString, text: str) -> bool:
    start, end = line_of(found, text)
    before, line = text[start : found.start], text[start:end].strip()
    # a cell of a table stands on a line of its own, too
    is_page_number = line == found.text and line.isdecimal() and not (text[:start].strip() and text[end:].strip())
    if text[found.start - 1 : found.start].isalpha() or text[found.end : found.end + 1].isalpha():
        return True  # a part of a name, or a mark on a word
    if (
        BEFORE_STRUCTURE.search(text[max(0, found.start - 60) : found.start])
        or is_page_number
        or line == f"({found.text})"
    ):
        return True
    is_cited = CITED.search(before) and CLOSES.match(text[found.end :])
    return bool(is_cited)


def number_of(found: DigitString, text: str) -> PaperNumber:
    plain = found.text.lstrip("-")
    whole = plain.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", plain) else plain.split(",")[0]
    whole = ".".join(whole.split(".")[:2])
    decimals = len(whole.partition(".")[2])
    exponent = EXPONENT.match(text[found.end : found.end + 12])
    power = int(exponent[1] or exponent[2]) if exponent else 0
    shown = found.text + (exponent[0] if exponent else "")
    return PaperNumber(
        shown, found.page, context_of(text, found), float(whole) * 10.0**power, 10.0 ** (power - decimals)
    )
