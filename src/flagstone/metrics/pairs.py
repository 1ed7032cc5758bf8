"""Names and numbers in a line that a program printed for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

# thousands are grouped by commas; "1,23" is no number of ours: it may be 1.23, or two numbers
DIGITS = r"(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+"
NUMBER = rf"[-+]?(?:(?:{DIGITS})(?:e[-+]?\d+)?|(?:nan|inf(?:inity)?)\b)"
UNIT = r"(?:[mnuµ]?s|secs?|mins?|hours?|[kmgt]?i?b|(?:it|steps?|samples?|tok|tokens?)(?=/))(?:/[a-z]+)?(?!\w)"
# a number that goes on is a time, a date, an address, a version, a fraction or a checksum
ENDED = rf"(?:{UNIT}|\s?%|(?!\w))(?!:\d|[/,.]\d|-\w|/\w)"
WORD = r"[a-z_][\w./@-]*+"
EXPLICIT = r"\s*(?:[=:-]>|:?=|:|[|│┃])\s*"
WRAPPED = r"(?:(?:tensor|array|(?:np|numpy)\.float\d+)\()?['\"]?"
SPLITS = frozenset(("train", "training", "val", "valid", "validation", "dev", "eval", "evaluation", "test", "holdout"))
SEPARATORS = re.compile(r"[\s_/.-]+")
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://\S*", re.IGNORECASE)


@dataclass(frozen=True)
class NamedNumber:
    """A name with its number. It is `loose` where only blanks stand between them, as in `val loss 2.3`."""

    name: str
    value: float
    loose: bool


def plain_name(name: str) -> str:
    """A name without its punctuation: `val/loss`, `val_loss` and `Val loss` are the same."""
    return SEPARATORS.sub(" ", name).strip().lower()


def pairs_in(line: str, wanted: frozenset[str]) -> Iterator[NamedNumber]:
    """Every name in the line that is followed by a number, with that number."""
    if "://" in line:
        line = ADDRESS.sub(" ", line)
    for found in pattern_for(wanted).finditer(line):
        number = found["value"].replace(",", "").lower()
        for name in names_of(found, wanted):
            yield NamedNumber(name, float(number), found["explicit"] is None)


def names_of(found: re.Match[str], wanted: frozenset[str]) -> Iterable[str]:
    """What a number is called. The word before may be part of the name (`val loss 0.5`) or not (`with loss 0.5`)."""
    name = found["odd"] or found["name"]
    first, _, second = name.partition(" ")
    if found["odd"] or not second or first.lower() in SPLITS:
        return (name,)
    return (name, second) if plain_name(name) in plain_names(wanted) else (second,)


@lru_cache(maxsize=64)
def plain_names(names: frozenset[str]) -> frozenset[str]:
    return frozenset(plain_name(name) for name in names)


@lru_cache(maxsize=64)
def pattern_for(wanted: frozenset[str]) -> re.Pattern[str]:
    """Pairs; a wanted name may have a form that other names have not, such as three words."""
    usual = re.compile(rf"{WORD}(?: {WORD})?", re.IGNORECASE | re.ASCII)
    odd = [
        spelling_pattern(name)
        for name in sorted(wanted)
        if not usual.fullmatch(name) or plain_name(name).count(" ") > 1
    ]
    odd_name = rf"(?P<odd>{'|'.join(odd)})|" if odd else r"(?P<odd>(?!))|"
    return re.compile(
        rf"(?<![\w./@-])['\"]?(?:{odd_name}(?P<name>{WORD}(?: {WORD})?))['\"]?"
        rf"(?:(?P<explicit>{EXPLICIT}{WRAPPED})|\s+)(?P<value>{NUMBER}){ENDED}",
        re.IGNORECASE,
    )


def spelling_pattern(name: str) -> str:
    """A pattern for a name in any of its spellings."""
    parts = [re.escape(part) for part in SEPARATORS.split(name) if part]
    return r"[\s_/.-]{1,3}".join(parts) or re.escape(name)
