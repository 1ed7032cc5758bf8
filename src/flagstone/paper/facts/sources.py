"""What a fact reads: a file of the run, and which of the values in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

FORMS = "write FILE.json#/a/b, or FILE.csv#column?where=name=value&name=value"
TABLES = (".csv", ".tsv", ".jsonl")
FOLDERS = ("workspace", "trials", "experiments", "index")


@dataclass(frozen=True)
class FactSource:
    """`FILE#place?where=…`: the rows of a table that are asked for, and one value of each.

    `rows_at` leads to a list inside a JSON document; without a `*` in the pointer the document itself is the one row.
    """

    path: str
    rows_at: tuple[str, ...] = ()
    column: tuple[str, ...] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    has_rows: bool = False

    @property
    def last_name(self) -> str:
        return self.column[-1] if self.column else ""


def source_of(text: str) -> FactSource:
    """The source that a text names. Raises ValueError that says how to write it."""
    path, mark, place = text.partition("#")
    place, _, condition = place.partition("?")
    if not mark or not place:
        raise ValueError(f"{text[:120]!r} names no value in a file; {FORMS}")
    refuse_foreign_path(path)
    where = conditions_of(condition)
    if path.endswith(TABLES):
        return FactSource(
            path, (), tokens_of(place) if place.startswith("/") else (unquote(place),), where, has_rows=True
        )
    if not place.startswith("/"):
        raise ValueError(f"#{place[:80]} is no JSON pointer; {FORMS}")
    tokens = tokens_of(place)
    star = tokens.index("*") if "*" in tokens else -1
    if star < 0 and where:
        raise ValueError("`where` needs rows to choose from: put * where the list is, such as #/pairs/*/value")
    return (
        FactSource(path, tokens[:star], tokens[star + 1 :], where, True) if star >= 0 else FactSource(path, (), tokens)
    )


def rows_source_of(text: str) -> FactSource:
    """The rows that a table shows: `FILE.csv?where=…`, or `FILE.json#/pointer?where=…` to a list."""
    name, _, condition = text.partition("?")
    path, _, pointer = name.partition("#")
    refuse_foreign_path(path)
    if pointer and not pointer.startswith("/"):
        raise ValueError(f"#{pointer[:80]} is no JSON pointer to a list")
    return FactSource(path, tokens_of(pointer) if pointer else (), (), conditions_of(condition), has_rows=True)


def refuse_foreign_path(path: str) -> None:
    parts = path.split("/")
    is_below = parts[0] in FOLDERS and len(parts) > 1 and path.isprintable()
    if not is_below or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{path[:120]!r} is no file of the run below {', '.join(FOLDERS)}; {FORMS}")


def conditions_of(text: str) -> dict[str, str]:
    """`where=arm=mixup&status=ok` as the cells that a row must have."""
    if not text:
        return {}
    if not text.startswith("where="):
        raise ValueError(f"?{text[:80]} is not understood; {FORMS}")
    found = {}
    for each in text.removeprefix("where=").split("&"):
        name, mark, value = each.partition("=")
        if not mark or not name or unquote(name) in found:
            raise ValueError(f"{each[:80]!r} in `where` is no condition of its own; {FORMS}")
        found[unquote(name)] = unquote(value)
    return found


def tokens_of(pointer: str) -> tuple[str, ...]:
    """The steps of a JSON pointer."""
    return tuple(re.sub("~[01]", lambda found: "~/"[int(found[0][1])], token) for token in pointer[1:].split("/"))
