"""The digit strings of a text, in one spelling whatever font, sign or spacing it uses."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

THIN_SPACE = re.compile(r"(?<=\d)[\u2006\u2009\u200a\u202f](?=\d)")
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
MINUS = str.maketrans(dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\ufe63\uff0d", "-"))
DIGITS = re.compile(r"(?:(?<![\w)\]-])-)?\d+(?:[.,]\d+)*")
AROUND = 30


@dataclass(frozen=True)
class DigitString:
    """One number of a page: `text` in the one spelling, and where it begins and ends in the page's text."""

    text: str
    page: int
    start: int
    end: int


def plain_text(text: str) -> str:
    """NFKC, thin spaces inside numbers closed, one minus sign, digits of every script as 0 to 9."""
    text = unicodedata.normalize("NFKC", THIN_SPACE.sub("", INVISIBLE.sub("", text))).translate(MINUS)
    return text if text.isascii() else "".join(ascii_digit(each) for each in text)


def ascii_digit(character: str) -> str:
    return character if character.isascii() or not character.isdigit() else str(unicodedata.digit(character))


def digit_strings(text: str, page: int = 0) -> list[DigitString]:
    """The digit strings of a plain text."""
    return [DigitString(found[0], page, *found.span()) for found in DIGITS.finditer(text)]


def digits_printed(texts: Iterable[str]) -> Counter[str]:
    """How often each digit string occurs in these texts."""
    return Counter(found.text for text in texts for found in digit_strings(plain_text(text)))


def digit_characters(text: str) -> Counter[str]:
    """How often each of the ten digits occurs."""
    return Counter(each for each in plain_text(text) if each.isdigit())


def context_of(text: str, found: DigitString) -> str:
    """The words around it, on one line."""
    return " ".join(text[max(0, found.start - AROUND) : found.end + AROUND].split())
