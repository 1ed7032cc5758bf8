"""Scalars in TensorBoard's event files: the last value of a tag, found from the end of the file."""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from flagstone.metrics.series import Place, Reading
from flagstone.metrics.wire import double, fields, masked_crc, single

HEAD = 12  # length and its checksum before each record; its own checksum behind it
SUMMARY, VALUE, TAG, SIMPLE, TENSOR = 5, 1, 1, 2, 8
DTYPE, CONTENT, FLOATS, DOUBLES = 1, 4, 5, 6
FLOAT_TYPE, DOUBLE_TYPE = 1, 2
LARGEST = 1 << 28
REACH = 1 << 20  # how far before a tag its record may begin
CHECKED = 1 << 16  # bytes of a record whose checksum is worth computing here
TAGS_LOOKED_AT = 5_000
PATTERN = "**/*tfevents*"
Bytes = mmap.mmap


def read(options: Mapping[str, object], place: Place, wanted: Sequence[str]) -> Reading:
    """The last value of each wanted tag in the run's own event files; the newest file that has one counts."""
    pattern = str(options.get("glob") or PATTERN)
    files = own_files(place, pattern)
    if not files:
        return Reading({}, "tensorboard", (f"the run wrote no event file that matches {pattern}",))
    tags = {name: name for name in wanted}
    if options.get("tag") and wanted:
        tags[wanted[0]] = str(options["tag"])
    values: dict[str, float] = {}
    problems: list[str] = []
    for path in files:
        with suppress(ValueError), open(path, "rb") as stream, mapped(stream.fileno()) as content:
            missing = {name: tag for name, tag in tags.items() if name not in values}
            values |= found_in(content, missing)
            if not tags or (wanted and wanted[0] not in values):
                seen, problem = walked(content, TAGS_LOOKED_AT if tags else None)
                values = {**{tag: value for tag, value in seen.items() if tag not in tags}, **values}
                problems += [f"{path.name}: {problem}"] if problem else []
    sources = tuple(os.path.relpath(path, place.run_dir) for path in files)
    return Reading(values, "tensorboard", tuple(problems), sources)


def own_files(place: Place, pattern: str) -> list[Path]:
    """The run's event files, the newest first."""
    if os.path.isabs(pattern) or ".." in pattern.split("/"):
        return []
    found = [path for path in place.run_dir.glob(pattern) if path.is_file() and place.is_own(path)]
    return sorted((path for path in found if path.stat().st_size), key=lambda each: each.stat().st_mtime, reverse=True)


def mapped(handle: int) -> Bytes:
    return mmap.mmap(handle, 0, access=mmap.ACCESS_READ)


def found_in(content: Bytes, tags: Mapping[str, str]) -> dict[str, float]:
    """The last value of each tag, searched from the end."""
    found = {name: last_value(content, tag) for name, tag in tags.items()}
    return {name: value for name, value in found.items() if value is not None}


def last_value(content: Bytes, tag: str) -> float | None:
    """The value in the last whole record that holds the tag; the same bytes in other places are passed over."""
    encoded = tag.encode()
    needle = b"\x0a" + length_prefix(len(encoded)) + encoded
    hit = content.rfind(needle)
    while hit >= 0:
        record = record_around(content, hit)
        if record is not None:
            value = dict(scalars(record)).get(tag)
            if value is not None:
                return value
        hit = content.rfind(needle, 0, hit)
    return None


def length_prefix(length: int) -> bytes:
    found = bytearray()
    while length >= 0x80:
        found.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([*found, length])


def record_around(content: Bytes, position: int) -> bytes | None:
    """The payload of the whole, undamaged record that a position lies in."""
    for start in range(position - HEAD, max(-1, position - REACH), -1):
        # a length below LARGEST has zeros here: most places are ruled out at once
        if content[start + 5 : start + 8] != b"\0\0\0":
            continue
        payload = payload_at(content, start)
        if payload is not None and start + HEAD <= position < start + HEAD + len(payload):
            return payload
    return None


def payload_at(content: Bytes, start: int) -> bytes | None:
    """The payload of the record that begins here; None where none does, or it is torn or damaged."""
    head = content[start : start + HEAD]
    if start < 0 or len(head) < HEAD:
        return None
    length, check = struct.unpack("<QI", head)
    end = start + HEAD + length + 4
    if length > LARGEST or end > len(content) or masked_crc(head[:8]) != check:
        return None
    payload = content[start + HEAD : end - 4]
    if length <= CHECKED and masked_crc(payload) != struct.unpack("<I", content[end - 4 : end])[0]:
        return None
    return payload


def walked(content: Bytes, most: int | None) -> tuple[dict[str, float], str]:
    """The last value of every tag of the first `most` records, and what was wrong with the file."""
    found: dict[str, float] = {}
    position, count = 0, 0
    while position < len(content) and (most is None or count < most):
        payload = payload_at(content, position)
        if payload is None:
            return found, f"what stands from byte {position} on is no whole record"
        found.update(scalars(payload))
        position += HEAD + len(payload) + 4
        count += 1
    return found, ""


def scalars(event: bytes) -> Iterator[tuple[str, float]]:
    """Tag and value of every scalar of one event; nothing where it holds none."""
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
            number = single(content)
        elif field == TENSOR and wire == 2 and isinstance(content, bytes):
            number = of_tensor(content)
    if number is not None:
        yield tag, number


def of_tensor(content: bytes) -> float | None:
    """The one number of a tensor; None where it holds several, or words."""
    kind, raw = 0, b""
    for field, wire, value in fields(content):
        if field == DTYPE and isinstance(value, int):
            kind = value
        elif field in (CONTENT, FLOATS, DOUBLES) and wire in (1, 2, 5) and isinstance(value, bytes):
            raw = value
    if kind == FLOAT_TYPE and len(raw) == 4:
        return single(raw)
    return double(raw) if kind == DOUBLE_TYPE and len(raw) == 8 else None
