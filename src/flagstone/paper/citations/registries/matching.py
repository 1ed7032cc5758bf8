"""Whether a record is of the work that somebody asked for: titles, names and years, however they are spelled."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher

SIMILAR = 0.85  # of two titles, from 0 to 1
COMPARED = 600  # characters of a title
TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
# letters that Unicode does not take apart into a plain letter and a mark
LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"})
NESTED = 20  # braces of TeX within each other that are decoded
RETRACTED_TITLE = re.compile(r"^\W*(?:retracted|withdrawn|removed)(?: article| paper)?\s*[:\]]\s*", re.IGNORECASE)


def plain_text(text: str) -> str:
    """A text of a registry without HTML, entities, and line breaks."""
    return " ".join(html.unescape(TAG.sub("", html.unescape(text))).split())


def tex_decoded(text: str) -> str:
    """What a text in TeX prints. Returns it as it is if it is no TeX, or hostile."""
    if not re.search(r"[\\{}$]", text) or text.count("{") > NESTED:
        return text
    from pylatexenc.latex2text import LatexNodes2Text

    try:
        return str(LatexNodes2Text(math_mode="text").latex_to_text(text))
    except Exception:  # the parser meets text from anywhere, and raises whatever it trips over
        return text


def comparable(text: str) -> str:
    """A text as it is compared: decoded, without marks, case and punctuation."""
    plain = unicodedata.normalize("NFKD", tex_decoded(plain_text(text[:COMPARED])).casefold())
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(LETTERS)
    return " ".join(re.sub(r"[\W_]+", " ", bare).split())


def similarity(one: str, other: str) -> float:
    """How alike two titles are, from 0 to 1. Two empty ones are not alike."""
    left, right = comparable(one), comparable(other)
    if not left or not right:
        return 0.0
    return SequenceMatcher(None, left, right, autojunk=False).ratio()


def has_title(titles: Sequence[str], wanted: str) -> bool:
    """Whether one of the titles is the wanted one."""
    return any(similarity(RETRACTED_TITLE.sub("", title), wanted) >= SIMILAR for title in titles)


def family_name(name: str) -> str:
    """The family name in `Family, Given`; the whole name if nothing says which part it is."""
    family, comma, _ = name.partition(",")
    return comparable(family if comma else name)


def has_family(recorded: str, wanted: str) -> bool:
    """Whether two names have the same family name, as far as each says which part that is."""
    left, right = family_name(recorded), family_name(wanted)
    if not left or not right:
        return False
    return left == right or f" {left}".endswith(f" {right}") or f" {right}".endswith(f" {left}")
