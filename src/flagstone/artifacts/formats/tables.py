"""Look into files made of rows: CSV, TSV, JSON lines and Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import BinaryIO

from flagstone.artifacts.formats.documents import loads_strict
from flagstone.artifacts.formats.reading import Unreadable, size_words, text_lines
from flagstone.artifacts.formats.shape import Makers, MakerTally, Shape, printable_names

COUNT_LIMIT_BYTES = 64_000_000
HEAD_BYTES = 1_000_000
MAKER_COLUMNS = ("experiment", "trial")


def delimited_shape(stream: BinaryIO, size: int, delimiter: str) -> Shape:
    """Columns and the number of rows. Of a huge file, only the rows at its beginning are counted."""
    rows = delimited_rows(stream, size, delimiter)
    columns = next(rows, None)
    if columns is None:
        raise Unreadable("no header line")
    makers_at = {name: at for at, name in enumerate(name.strip().lower() for name in columns) if name in MAKER_COLUMNS}
    tally, count = MakerTally(), 0
    for row in rows:
        count += 1
        if makers_at:
            tally.note({name: row[at] if at < len(row) else "" for name, at in makers_at.items()})
    makers = tally.makers() if makers_at else Makers(unnamed=count)
    schema = {"type": "table", "columns": printable_names(columns), "column_count": len(columns)}
    return Shape(schema | row_count(count, size), count, makers)


csv_shape = partial(delimited_shape, delimiter=",")
tsv_shape = partial(delimited_shape, delimiter="\t")


def delimited_rows(stream: BinaryIO, size: int, delimiter: str) -> Iterator[list[str]]:
    """The rows that are not empty. A field longer than Python's csv module allows makes the file unreadable."""
    import csv

    reader = csv.reader(text_lines(stream, bytes_to_read(size)), delimiter=delimiter)
    try:
        yield from filter(any, reader)
    except csv.Error as error:
        problem = "a field longer than 128 KB" if "field limit" in str(error) else "not a table"
        raise Unreadable(f"{problem} (line {reader.line_num})") from None


def bytes_to_read(size: int) -> int:
    return size if size <= COUNT_LIMIT_BYTES else HEAD_BYTES


def row_count(count: int, size: int) -> dict[str, object]:
    if size <= COUNT_LIMIT_BYTES:
        return {"row_count": count}
    note = f"larger than {size_words(COUNT_LIMIT_BYTES)}: only its beginning was read, rows were not counted"
    return {"row_count": None, "row_count_at_least": count, "note": note}


def jsonl_shape(stream: BinaryIO, size: int) -> Shape:
    """Row count and the keys of the rows; one bad line makes the file unreadable, and is named."""
    keys: dict[str, None] = {}
    tally, count = MakerTally(), 0
    for number, line in enumerate(text_lines(stream, bytes_to_read(size)), 1):
        if not line.strip():
            continue
        try:
            row = loads_strict(line)
        except Unreadable as error:
            raise Unreadable(f"line {number}: {error.reason}") from None
        count += 1
        tally.note(row)
        if isinstance(row, dict) and len(keys) < 100:
            keys.update(dict.fromkeys(row))
    schema = {"type": "rows", "keys": printable_names(sorted(keys))}
    return Shape(schema | row_count(count, size), count, tally.makers())


def parquet_shape(stream: BinaryIO, size: int) -> Shape:
    """Columns and rows as the file's own footer gives them; no data page is read."""
    from flagstone.artifacts.formats.parquet import footer

    columns, rows = footer(stream, size)
    schema = {"type": "table", "columns": printable_names(columns), "column_count": len(columns), "row_count": rows}
    return Shape(schema, rows, Makers(unnamed=rows))
