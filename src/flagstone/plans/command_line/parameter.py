"""A value to search, as a person writes it on a command line: `lr=1e-4:1e-1:log`, `conf/a.yaml:optim.name=adam,sgd`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flagstone.errors import FlagstoneError

FILLED_IN = ("seed", "entry", "tree", "run_dir")  # words in braces that mean something else already


@dataclass(frozen=True)
class Parameter:
    """A name, the range as search.parameters has it, and the file if a person named one."""

    key: str
    range: dict[str, Any]
    file: str = ""

    @property
    def name(self) -> str:
        """A name that can stand in braces."""
        word = re.sub(r"\W+", "_", self.key).strip("_")
        return f"{word}_value" if word in FILLED_IN else word


@dataclass(frozen=True)
class Word:
    """Where a command line has a value: the number of the word, what stands before the value in it, and the value."""

    index: int
    before: str
    value: str


def parameter_of(text: str) -> Parameter:
    where, _, values = text.partition("=")
    file, _, key = where.rpartition(":")
    found = range_of(values)
    if not key or not found:
        raise FlagstoneError(
            f"--param {text} is no range",
            hint="such as lr=1e-4:1e-1:log, layers=2:8, name=adam,sgd or conf/model.yaml:optim.lr=0.1:0.9",
        )
    return Parameter(key.lstrip("-"), found, file)


def range_of(text: str) -> dict[str, Any]:
    """`low:high`, `low:high:log` or `a,b,c`. Returns an empty mapping if the text is none of them."""
    if "," in text:
        return {"choices": [plain_value(word) for word in text.split(",")]}
    low, _, rest = text.partition(":")
    high, _, scale = rest.partition(":")
    ends = [plain_value(low), plain_value(high)]
    if scale not in ("", "log") or any(isinstance(end, str | bool) for end in ends):
        return {}
    return {"low": ends[0], "high": ends[1], **({"log": True} if scale else {})}


def plain_value(text: str) -> bool | int | float | str:
    """The number that a word is, or else the word."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def word_in(argv: Sequence[str], key: str) -> Word | None:
    """The value of this name in a command line: `--lr 0.1`, `--lr=0.1` or `lr=0.1`. The last one counts."""
    names = "|".join(re.escape(name) for name in {key, key.replace("_", "-")})
    found = None
    for index, word in enumerate(argv[1:], 1):
        hit = re.match(rf"((?:--?|\+{{1,2}})?(?:{names})=)(.+)", word)
        if hit:
            found = Word(index, hit[1], hit[2])
        elif re.fullmatch(rf"--?(?:{names})", word) and argv[index + 1 : index + 2] and argv[index + 1][:2] != "--":
            found = Word(index + 1, "", argv[index + 1])
    return found
