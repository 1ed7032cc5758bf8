"""The name of a new experiment, made of the date and a few words."""

from __future__ import annotations

import os
import re
import time
import unicodedata
from itertools import count
from pathlib import Path

LONGEST = 40
STOPWORDS = frozenset(
    ("a", "an", "the", "of", "to", "for", "in", "on", "and", "or", "with", "by", "is", "are", "be", "we", "it", "this")
)


def default_name(words: str, at_s: float) -> str:
    """`YYMMDD-words`, of at most 40 ASCII characters."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    kept = [word for word in re.findall(r"[a-z0-9]+", plain) if word not in STOPWORDS]
    name = time.strftime("%y%m%d", time.localtime(at_s))
    for word in kept or ["experiment"]:
        if len(name) + 1 + len(word) > LONGEST:
            break
        name = f"{name}-{word}"
    return name


def next_free_name(folder: Path, name: str) -> str:
    """The name with the first suffix that no experiment has."""
    return next(each for each in (f"{name}-{number}" for number in count(2)) if not os.path.lexists(folder / each))
