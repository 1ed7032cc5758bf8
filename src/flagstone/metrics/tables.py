"""Metrics in a file of the run's own: JSON, JSON lines, CSV or TSV."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from flagstone.metrics.own_files import own_files
from flagstone.metrics.series import STEPS, Place, Reading

WHOLE_BYTES = 16_000_000  # a JSON object takes a multiple of this to be understood
TAIL_BYTES = 4_000_000
HEAD_BYTES = 65_536
DELIMITERS = ",\t;"
Steps = dict[str, list[float]]


def read_json(options: Mapping[str, object], place: Place, wanted: Sequence[str]) -> Reading:
    """The numbers of the newest own file that `path` names; `key` says where the metric is in it."""
    found = read_file("json", record_steps, options, place)
    key = str(options.get("key") or "")
    if not found.sources or not wanted:
        return found
    steps = {name: each for name, each in found.last_steps.items() if name}
    problems = found.problems
    if key or "" in found.values:  # a file may hold one number and nothing else
        # a value under the metric's own name does not count if `key` names another place
        steps[wanted[0]] = found.last_steps.get(key, ())
        problems += () if steps[wanted[0]] or problems else (f"{found.sources[0]} has no number at {key}",)
    steps = {name: each for name, each in steps.items() if each}
    return Reading({name: each[-1] for name, each in steps.items()}, "json", problems, found.sources, steps)


def read_csv(options: Mapping[str, object], place: Place, wanted: Sequence[str]) -> Reading:
    """The last filled cell of each column of the newest own file that `path` names."""
    return read_file("csv", table_steps, options, place)


def read_file(backend: str, steps_of: Callable[[Path], Steps], options: Mapping[str, object], place: Place) -> Reading:
    pattern = str(options.get("path") or "")
    if not pattern:
        return Reading({}, backend, ("the spec names no file: metric.path",))
    own, problems = own_files(place, pattern)
    if not own:
        return Reading({}, backend, tuple(problems))
    source = os.path.relpath(own[-1], place.run_dir)
    try:
        steps = steps_of(own[-1])
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        return Reading({}, backend, (*problems, f"{source} cannot be read: {why}"))
    problems += [] if steps else [f"{source} contains no number"]
    values = {name: each[-1] for name, each in steps.items()}
    last = {name: tuple(each) for name, each in steps.items()}
    return Reading(values, backend, tuple(problems), (source,), last)


def record_steps(path: Path) -> Steps:
    """The numbers of a JSON object, nested names joined by dots and by slashes; of JSON lines the last ones."""
    is_large = path.stat().st_size > WHOLE_BYTES
    if not is_large:
        with suppress(ValueError, RecursionError):  # more than one object: JSON lines
            return collect([numbers(json.loads(path.read_text(encoding="utf-8", errors="replace")))])
    found = collect(numbers_in(line) for line in tail(path, TAIL_BYTES).split("\n"))
    if not found:
        raise ValueError(f"it is larger than {WHOLE_BYTES // 10**6} MB" if is_large else "it contains no JSON object")
    return found


def numbers_in(line: str) -> list[tuple[str, float]]:
    """The numbers of one line; the last one may be torn."""
    try:
        return list(numbers(json.loads(line)))
    except (ValueError, RecursionError):
        return []


def collect(groups: Iterable[Iterable[tuple[str, float]]]) -> Steps:
    """The last values of each name, in order."""
    found: Steps = {}
    for group in groups:
        for name, value in group:
            found.setdefault(name, []).append(value)
            del found[name][:-STEPS]
    return found


def numbers(value: object, above: tuple[str, ...] = ()) -> Iterator[tuple[str, float]]:
    """Every number with its name; of a list of objects the later ones, of a list of numbers all in their order."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from numbers(item, (*above, str(name)))
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, Mapping) or is_number(item):
                yield from numbers(item, above)
    elif is_number(value):
        for name in dict.fromkeys((".".join(above), "/".join(above))):
            yield name, number(value)


def is_number(value: object) -> bool:
    if isinstance(value, str):
        return value.lower().lstrip("+-") in ("nan", "inf", "infinity")
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:  # a whole number of more than 308 digits
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]


def table_steps(path: Path) -> Steps:
    """The last filled cells of each column."""
    with open(path, "rb") as stream:
        head = stream.readline(HEAD_BYTES).decode("utf-8-sig", "replace")
    if "\0" in head:
        raise ValueError("its first line is not a header: it is not text")
    delimiter = max(DELIMITERS, key=head.count)
    columns = next(csv.reader([head], delimiter=delimiter), [])
    body = tail(path, TAIL_BYTES)
    if path.stat().st_size <= TAIL_BYTES:
        body = body.partition("\n")[2]
    rows = csv.reader(io.StringIO(body.replace("\0", "")), delimiter=delimiter)
    return collect(cells(columns, row) for row in rows if len(row) <= len(columns))


def cells(columns: Sequence[str], row: Sequence[str]) -> Iterator[tuple[str, float]]:
    for name, cell in zip(columns, row, strict=False):
        try:
            yield name.strip(), float(cell)
        except ValueError:
            continue  # empty, or words


def tail(path: Path, most: int) -> str:
    """The end of a file, from the beginning of a line."""
    with open(path, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - most))
        content = stream.read(most)
    if size > most:
        content = content.partition(b"\n")[2]
    return content.decode("utf-8", "replace")
