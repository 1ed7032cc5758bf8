"""Metrics in a file of the run's own: JSON, JSON lines, CSV or TSV."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from flagstone.metrics.series import Place, Reading

WHOLE_BYTES = 50_000_000
TAIL_BYTES = 4_000_000
HEAD_BYTES = 65_536


def read(options: Mapping[str, object], place: Place, wanted: Sequence[str]) -> Reading:
    """The newest own file that the option `path` names; of rows and lines the last ones count."""
    pattern = str(options.get("path") or "")
    if not pattern:
        return Reading({}, "json", ("the spec names no file: metric.path",))
    path = newest(place, pattern)
    if path is None:
        return Reading({}, "json", (f"the run wrote no file that matches {pattern}",))
    source = (os.path.relpath(path, place.run_dir),)
    try:
        is_table = path.suffix in (".csv", ".tsv")
        values = table_values(path) if is_table else record_values(path)
    except (OSError, ValueError, RecursionError) as error:
        return Reading({}, "json", (f"{source[0]} cannot be read: {error}",), source)
    key = str(options.get("key") or "")
    if key and wanted and key in values:
        values = {**values, wanted[0]: values[key]}
    return Reading(values, "csv" if is_table else "json", (), source)


def newest(place: Place, pattern: str) -> Path | None:
    if os.path.isabs(pattern) or ".." in pattern.split("/"):
        return None
    own = [path for path in place.run_dir.glob(pattern) if path.is_file() and place.is_own(path)]
    return max(own, key=lambda path: path.stat().st_mtime, default=None)


def record_values(path: Path) -> dict[str, float]:
    """The numbers of a JSON object, nested names joined by dots and by slashes; of several lines the last one's."""
    size = path.stat().st_size
    if size <= WHOLE_BYTES:
        text = path.read_text(encoding="utf-8", errors="replace")
        try:
            return dict(numbers(json.loads(text)))
        except ValueError:
            pass  # more than one object: JSON lines
    found: dict[str, float] = {}
    for line in tail(path, TAIL_BYTES).splitlines():
        try:
            found.update(numbers(json.loads(line)))
        except ValueError:
            continue
    if not found:
        raise ValueError("it holds no JSON object")
    return found


def numbers(value: object, above: tuple[str, ...] = ()) -> Iterator[tuple[str, float]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from numbers(item, (*above, str(name)))
    elif isinstance(value, list) and value and above:
        yield from numbers(value[-1], above)
    elif isinstance(value, list) and value:
        yield from numbers(value[-1])
    elif is_number(value):
        yield from dict.fromkeys((".".join(above), "/".join(above)), float(value)).items()  # type: ignore[arg-type]


def is_number(value: object) -> bool:
    if isinstance(value, str):
        return value.lower().lstrip("+-") in ("nan", "inf", "infinity")
    return isinstance(value, int | float) and not isinstance(value, bool)


def table_values(path: Path) -> dict[str, float]:
    """The last filled cell of each column."""
    with open(path, "rb") as stream:
        head = stream.readline(HEAD_BYTES).decode("utf-8-sig", "replace")
    delimiter = "\t" if path.suffix == ".tsv" else ","
    columns = next(csv.reader([head], delimiter=delimiter), [])
    body = tail(path, TAIL_BYTES)
    if path.stat().st_size <= TAIL_BYTES:
        body = body.partition("\n")[2]
    found: dict[str, float] = {}
    for row in csv.reader(io.StringIO(body), delimiter=delimiter):
        if len(row) > len(columns):
            continue
        for name, cell in zip(columns, row, strict=False):
            try:
                found[name.strip()] = float(cell)
            except ValueError:
                continue
    return found


def tail(path: Path, most: int) -> str:
    """The end of a file, from the beginning of a line."""
    with open(path, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - most))
        content = stream.read(most)
    if size > most:
        content = content.partition(b"\n")[2]
    return content.decode("utf-8", "replace")
