"""Scalars in TensorBoard's event files: the last value of a tag, found from the end of the file."""

from __future__ import annotations

import math
import mmap
import os
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flagstone.metrics.series import Place, Reading
from flagstone.metrics.wire import HEAD, double_float, encoded_varint, fields, payload_at, single_float

WALL_TIME, SUMMARY, VALUE, TAG, SIMPLE, TENSOR = 1, 5, 1, 1, 2, 8
DTYPE, CONTENT, FLOATS, DOUBLES = 1, 4, 5, 6
FLOAT_TYPE, DOUBLE_TYPE = 1, 2
REACH = 1 << 20  # how far before a tag its record may begin
PLACES_LOOKED_AT = 32  # of the bytes of a tag, before every record is read
RECORDS_BEHIND = 100  # looked at behind the last value, for a torn end
RECORDS_BEFORE, NAMES = 10_000, 50  # looked at for what else there is, where the metric is missing
ZEROS = b"\0\0\0\0"
LENGTH_ENDS = re.compile(rb"[^\0](?=\0{4})")  # the last byte of a record's length that is not zero
END_BYTES = 256 * 1024  # of each end of a file that is only glanced at
PATTERN = "**/events.out.tfevents.*"
# an event of time, step and a summary of one value: a tag and a simple number
PLAIN = re.compile(rb"\x09.{8}(?:\x10[\x80-\xff]{0,9}[\x00-\x7f])?\x2a(.)\x0a(.)\x0a(.)(.*)\x15(.{4})", re.DOTALL)
Bytes = mmap.mmap


def read(options: Mapping[str, object], place: Place, wanted: Sequence[str]) -> Reading:
    """The last value of each wanted tag in the run's own event files; the newest file that has one counts."""
    pattern = str(options.get("glob") or PATTERN)
    files = own_files(place, pattern)
    if not files:
        return Reading({}, "tensorboard", (f"the run wrote no event file that matches {pattern}",))
    tag = str(options.get("tag") or "") if wanted else ""
    tags = [tag, *wanted[1:]] if tag else list(wanted)
    values, problems = search(files, tags) if tags else all_values(files)
    if tags and tags[0] not in values:
        # what is missing is best explained by what is there
        seen, more = search(files, [each for each in names_in(files) if each not in values])
        values, problems = {**seen, **values}, [*problems, *more]
    if tag:
        values = {name: value for name, value in values.items() if name != wanted[0] or name == tag}
        values |= {wanted[0]: values[tag]} if tag in values else {}
    sources = tuple(os.path.relpath(path, place.run_dir) for path in files)
    return Reading(values, "tensorboard", tuple(dict.fromkeys(problems)), sources)


def own_files(place: Place, pattern: str) -> list[Path]:
    """The run's event files, in the order in which they were begun."""
    if os.path.isabs(pattern) or ".." in pattern.split("/"):
        return []
    try:
        found = [path for path in place.run_dir.glob(pattern) if path.is_file() and place.is_own(path)]
        return sorted((path for path in found if path.stat().st_size), key=lambda path: (began_at(path), path.name))
    except (OSError, ValueError):  # what is no pattern matches nothing
        return []


def began_at(path: Path) -> float:
    """When the first record of a file was written, as it says itself; 0 where it says nothing."""
    with suppress(OSError, ValueError, struct.error), map_file(path) as content:
        for number, wire, value in fields(payload_at(content, 0) or b""):
            if number == WALL_TIME and wire == 1 and isinstance(value, bytes) and math.isfinite(double_float(value)):
                return double_float(value)
    return 0.0


@contextmanager
def map_file(path: Path) -> Iterator[Bytes]:
    with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        yield content


def search(files: Sequence[Path], tags: Sequence[str]) -> tuple[dict[str, float], list[str]]:
    """The last value of each tag, searched from the end of the newest file, and what was damaged there."""
    values: dict[str, float] = {}
    problems: list[str] = []
    for path in reversed(files):
        missing = [tag for tag in tags if tag not in values]
        try:
            with map_file(path) as content:
                for tag in missing:
                    value, problem = last_value(content, tag)
                    values |= {} if value is None else {tag: value}
                    problems += [f"{path.name}: {problem}"] if problem else []
        except (OSError, ValueError) as problem:
            problems.append(f"{path.name}: {problem}")
    return values, problems


def names_in(files: Sequence[Path]) -> list[str]:
    """The tags in the first records of each file. That is nearly always all of them, since tags repeat early."""
    found: dict[str, float] = {}
    for path in files:
        with suppress(OSError, ValueError), map_file(path) as content:
            found |= values_from(content, 0, RECORDS_BEFORE)[0]
    return list(found)[:NAMES]


def all_values(files: Sequence[Path]) -> tuple[dict[str, float], list[str]]:
    """The last value of every tag, and where files are damaged. Nothing behind the damage is read."""
    values: dict[str, float] = {}
    problems: list[str] = []
    for path in files:
        try:
            with map_file(path) as content:
                seen, problem = values_from(content, 0)
                values |= seen
                problems += [f"{path.name}: {problem}"] if problem else []
        except (OSError, ValueError) as problem:
            problems.append(f"{path.name}: {problem}")
    return values, problems


def last_value(content: Bytes, tag: str) -> tuple[float | None, str]:
    """The value in the last whole record that holds the tag, and what is damaged behind it."""
    encoded = tag.encode("utf-8", "replace")
    needle = b"\x0a" + encoded_varint(len(encoded)) + encoded
    value, start, is_sure = None, 0, True
    hit = content.rfind(needle)
    for _ in range(PLACES_LOOKED_AT):
        if hit < 0 or value is not None:
            break
        before = hit + len(needle) - 1
        around = record_around(content, hit)
        if around is None:
            is_sure = False  # torn, damaged, or too long: reading on from the record before tells
        else:
            before = around[0]
            value = dict(scalars(around[1])).get(tag)
            start = before if value is not None else 0
        hit = content.rfind(needle, 0, before)
    is_sure = is_sure and (hit < 0 or value is not None)
    if is_sure and value is None:
        return None, ""
    seen, problem = values_from(content, start, RECORDS_BEHIND if is_sure else None)
    return seen.get(tag, value), problem


def record_around(content: Bytes, position: int) -> tuple[int, bytes] | None:
    """Start and payload of the whole, undamaged record around a position."""
    lowest, end = max(0, position - REACH), position - HEAD + 8
    while True:
        # a length below LARGEST has zeros here: most places are ruled out at once
        zeros = content.rfind(ZEROS, lowest, max(end, 0))
        if zeros < 4:
            return None
        start = zeros - 4
        length = int.from_bytes(content[start:zeros], "little")
        if position < start + HEAD + length:
            payload = payload_at(content, start)
            if payload is not None:
                return start, payload
        end = zeros + 3


def values_from(content: Bytes, start: int, most: int | None = None) -> tuple[dict[str, float], str]:
    """The last value of every tag of the first `most` records from here, and what was wrong with them."""
    found: dict[str, float] = {}
    position, count = start, 0
    while position < len(content) and (most is None or count < most):
        payload = payload_at(content, position)
        if payload is None:
            return found, f"the file is damaged from byte {position} on"
        found.update(plain_scalar(payload) or scalars(payload))
        position += HEAD + len(payload) + 4
        count += 1
    return found, ""


def plain_scalar(event: bytes) -> tuple[tuple[str, float], ...]:
    """What `scalars` finds in the form that nearly every event has, several times sooner; empty in any other."""
    form = PLAIN.fullmatch(event)
    if form is None:
        return ()
    summary, value, length, tag, number = form.groups()
    size = len(tag)
    if (summary[0], value[0], length[0]) != (size + 9, size + 7, size) or size + 9 > 0x7F:
        return ()
    with suppress(UnicodeDecodeError):
        return ((tag.decode(), single_float(number)),)
    return ()


def scalars(event: bytes) -> Iterator[tuple[str, float]]:
    """Tag and value of every scalar of one event. No pair if it has none."""
    with suppress(ValueError, UnicodeDecodeError, struct.error):
        for number, wire, summary in fields(event):
            if number == SUMMARY and wire == 2 and isinstance(summary, bytes):
                for inner, kind, value in fields(summary):
                    if inner == VALUE and kind == 2 and isinstance(value, bytes):
                        yield from scalar(value)


def scalar(value: bytes) -> Iterator[tuple[str, float]]:
    tag, number = "", None
    for field, wire, content in fields(value):
        if field == TAG and wire == 2 and isinstance(content, bytes):
            tag = content.decode()
        elif field == SIMPLE and wire == 5 and isinstance(content, bytes):
            number = single_float(content)
        elif field == TENSOR and wire == 2 and isinstance(content, bytes):
            number = of_tensor(content)
    if number is not None:
        yield tag, number


def of_tensor(content: bytes) -> float | None:
    """The one number of a tensor. Returns None if it has several, or words."""
    kind, raw = 0, b""
    for field, wire, value in fields(content):
        if field == DTYPE and isinstance(value, int):
            kind = value
        elif field in (CONTENT, FLOATS, DOUBLES) and wire in (1, 2, 5) and isinstance(value, bytes):
            raw += value
    if kind == FLOAT_TYPE and len(raw) == 4:
        return single_float(raw)
    return double_float(raw) if kind == DOUBLE_TYPE and len(raw) == 8 else None


@dataclass(frozen=True)
class EventEnds:
    """The tags at both ends of an event file, and the seconds between its first and its last event."""

    tags: tuple[str, ...] = ()
    seconds: float = 0.0


def read_event_ends(path: Path) -> EventEnds:
    """What both ends of an event file tell. Empty if it cannot be read, or is no event file."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(END_BYTES)
            size = os.fstat(stream.fileno()).st_size
            stream.seek(max(len(head), size - END_BYTES))
            tail = stream.read(END_BYTES)
    except OSError:
        return EventEnds()
    payloads = [*payloads_in(head), *payloads_in(tail)]
    times = [time for payload in payloads if (time := wall_time(payload)) is not None]
    tags = dict.fromkeys(tag for payload in payloads for tag, _ in scalars(payload))
    return EventEnds(tuple(tags), max(times) - min(times) if times else 0.0)


def payloads_in(content: bytes) -> Iterator[bytes]:
    """The whole records in a part of a file, from the first one that begins in it."""
    position = first_record(content)
    while (payload := payload_at(content, position)) is not None:
        yield payload
        position += HEAD + len(payload) + 4


def first_record(content: bytes) -> int:
    """Where the first whole record begins. Returns the length of the content if there is none."""
    for found in LENGTH_ENDS.finditer(content):
        for start in range(found.start() - 3, found.start() + 1):
            if start >= 0 and content[start + 4 : start + 8] == ZEROS and payload_at(content, start) is not None:
                return start
    return len(content)


def wall_time(event: bytes) -> float | None:
    """When an event was written. Returns None if it does not say so."""
    try:
        found = next(value for number, wire, value in fields(event) if number == WALL_TIME and wire == 1)
    except (ValueError, StopIteration):
        return None
    return time if isinstance(found, bytes) and math.isfinite(time := double_float(found)) else None
