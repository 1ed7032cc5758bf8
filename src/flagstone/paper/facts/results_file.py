"""A results file as rows of values: read once, bounded, and only from inside the run."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flagstone.artifacts.formats import Unreadable, decode_text, loads_strict, read_bounded, read_plain, size_words
from flagstone.errors import suggestion
from flagstone.layout import Run
from flagstone.paper.facts.sources import FactSource
from flagstone.records import digest_bytes

LIMIT_BYTES = 16_000_000
MOST_CELLS = 1_000_000
NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\Z")
WHOLE = re.compile(r"[+-]?\d{1,18}\Z")
NOT_FINITE = ("nan", "inf", "infinity")
Cell = float | int | str | None
Groups = dict[tuple[str, ...], list[Any]]


@dataclass
class ResultsFile:
    """One file, parsed: a JSON value, or the rows of a table."""

    path: str
    digest: str
    value: Any
    groups: dict[tuple[object, ...], Groups] = field(default_factory=dict)

    def rows(self, source: FactSource) -> list[Any]:
        """The rows that are asked for; raises ValueError if there are none."""
        rows = value_at(self.value, source.rows_at)
        if not isinstance(rows, list):
            raise ValueError(f"/{'/'.join(source.rows_at)} is no list, so * has nothing to go through")
        if source.where:
            rows = self.group_rows(source.rows_at, rows, tuple(source.where)).get(tuple(source.where.values()), [])
        if not rows:
            wanted = " and ".join(f"{name}={value}" for name, value in source.where.items())
            raise ValueError(f"there is no row{f' with {wanted}' if wanted else ''}; {self.values_text(source)}")
        return rows

    def group_rows(self, at: tuple[str, ...], rows: list[Any], names: tuple[str, ...]) -> Groups:
        """The rows by their cells in these columns: ten thousand facts may ask for other cells of the same ones."""
        if (at, names) not in self.groups:
            for name in names:
                if rows and not any(isinstance(row, Mapping) and name in row for row in rows):
                    raise ValueError(f"`where` asks for the column {name[:60]!r}; {nearest_text(name, rows[0])}")
            groups = self.groups[at, names] = {}
            for row in rows:
                cells = tuple(text_of(row.get(name)) if isinstance(row, Mapping) else "" for name in names)
                groups.setdefault(cells, []).append(row)
        return self.groups[at, names]

    def values_text(self, source: FactSource) -> str:
        """What stands in the columns that were asked for."""
        found = []
        for name, wanted in source.where.items():
            rows = value_at(self.value, source.rows_at)
            cells = sorted(cell for (cell,) in self.group_rows(source.rows_at, rows, (name,)))
            if wanted not in cells:
                found.append(suggestion(wanted, cells) or f"{name} is one of {', '.join(cells[:12])}"[:200])
        return "; ".join(found) or "choose others"


def read_results_file(run: Run, path: str) -> ResultsFile:
    """A file of the run; raises Unreadable if it is no plain file, too large, or not what its ending says."""
    content = plain_content(run, path, LIMIT_BYTES)
    text = decode_text(content)
    ending = os.path.splitext(path)[1].lower()
    if ending in (".csv", ".tsv"):
        value: Any = list(table_rows(text, "\t" if ending == ".tsv" else ","))
    elif ending == ".jsonl":
        value = [loads_strict(line) for line in text.splitlines() if line.strip()]
    elif ending == ".json":
        value = loads_strict(text)
    else:
        raise Unreadable("neither JSON, JSON lines, CSV nor TSV: facts are read from these only")
    return ResultsFile(path, digest_bytes(content), value)


def plain_content(run: Run, path: str, limit: int) -> bytes:
    """The bytes of a file, which may be one of our indexes. Raises Unreadable."""
    if not os.path.lexists(run.root / path):
        raise Unreadable("does not exist")
    if os.stat(run.root / path, follow_symlinks=False).st_size > limit:
        raise Unreadable(f"is larger than {size_words(limit)}; summarize it in the stage that makes it")
    if path.startswith("index/"):
        if (run.root / path).is_symlink():
            raise Unreadable("is a link, and no index of Flagstone's; remove it")
        return read_plain(run.root / path, limit)
    return read_bounded(run.root / path, run.root, limit)


def table_rows(text: str, delimiter: str) -> Iterator[dict[str, str]]:
    """The rows of a table that are not empty, by column."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = [name.strip() for name in next(reader, [])]
        if len(set(columns)) < len(columns) or not columns:
            raise Unreadable("two columns of one name, or no header line")
        for number, row in enumerate(filter(any, reader), 1):
            if number * len(columns) > MOST_CELLS:
                raise Unreadable(f"more than {MOST_CELLS} cells: summarize it in the stage that makes it")
            if len(row) != len(columns):
                raise Unreadable(f"line {reader.line_num} has {len(row)} cells, and the header {len(columns)}")
            yield dict(zip(columns, row, strict=True))
    except csv.Error as error:
        raise Unreadable(f"not a table (line {reader.line_num}: {error})") from None


def value_at(value: Any, tokens: Sequence[str]) -> Any:
    """What a JSON pointer leads to. Raises ValueError that names the last step that there is, and the nearest key."""
    for at, token in enumerate(tokens):
        below: Any = None
        if isinstance(value, Mapping) and token in value:
            below = value[token]
        elif isinstance(value, list) and token.isascii() and token.isdigit() and int(token) < len(value):
            below = value[int(token)]
        else:
            place = "/".join(["", *tokens[:at]]) or "its top"
            raise ValueError(f"there is no {token[:60]!r} at {place}; {nearest_text(token, value)}")
        value = below
    return value


def nearest_text(token: str, value: Any) -> str:
    if isinstance(value, Mapping):
        names = list(map(str, value))
        return suggestion(token, names) or f"there are {', '.join(names[:12]) or 'no keys'}"
    return f"a list of {len(value)}" if isinstance(value, list) else "it holds one value, and no keys"


def cell_of(row: Any, column: Sequence[str]) -> Any:
    """One cell of a row. Raises ValueError if there is no such column."""
    if len(column) != 1 or not isinstance(row, Mapping):
        return value_at(row, column)
    if column[0] not in row:
        raise ValueError(f"there is no column {column[0][:60]!r}; {nearest_text(column[0], row)}")
    return row[column[0]]


def text_of(value: Any) -> str:
    """A cell as a condition compares it."""
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def typed_cell(value: Any) -> Cell:
    """A number, a text, or None if it is empty. Raises ValueError if it is none of these."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool | list | Mapping):
        word = "a list" if isinstance(value, list) else "an object" if isinstance(value, Mapping) else "true or false"
        raise ValueError(f"it is {word}, and neither a number nor a name")
    if not isinstance(value, str):
        return float(value) if isinstance(value, float) else int(value)
    text = value.strip()
    if text.lower().lstrip("+-") in NOT_FINITE:
        raise ValueError(f"it is {text}, which is no number")
    return int(text) if WHOLE.match(text) else float(text) if NUMBER.match(text) else text
