"""TensorBoard's file format, as far as numbers need it: written without TensorBoard."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from flagstone.metrics.wire import masked_crc

TAIL = 1 << 13  # several records, however long the names in them are
HEADER = 12  # the length of a record in eight bytes, and its checksum


def checksum(content: bytes) -> bytes:
    return struct.pack("<I", masked_crc(content))


def record(payload: bytes) -> bytes:
    """One event as a file holds it."""
    length = struct.pack("<Q", len(payload))
    return b"".join((length, checksum(length), payload, checksum(payload)))


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def chunk(number: int, content: bytes) -> bytes:
    """A field that holds bytes, text or another message."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def double(number: int, value: float) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<d", value)


def small_float(value: float) -> bytes:
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return struct.pack("<f", math.copysign(math.inf, value))


@lru_cache(maxsize=64)
def number_head(tag: str) -> bytes:
    """All of a tagged number but its four bytes: the same at every step."""
    inner = chunk(1, tag.encode("utf-8", "replace")) + b"\x15"
    return b"\x0a" + varint(len(inner) + 4) + inner


def first_event(at: float) -> bytes:
    """What every event file begins with."""
    return record(double(1, at) + chunk(3, b"brain.Event:2"))


def scalars_event(at: float, step: int, values: Mapping[str, float]) -> bytes:
    """Numbers of one step, by tag."""
    rows = b"".join([number_head(tag) + small_float(value) for tag, value in values.items()])
    return record(double(1, at) + b"\x10" + varint(step) + chunk(5, rows))


def last_step(path: Path) -> tuple[int, int]:
    """The step of the last whole event of a file, and the size up to its end. Returns (0, 0) if there is none."""
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            start = max(0, size - TAIL)
            stream.seek(start)
            found = walk(stream.read())
            if found[1] == 0 and start > 0:
                start = stream.seek(0)
                found = walk(stream.read())
    except OSError:
        return 0, 0
    return (found[0], start + found[1]) if found[1] else (0, 0)


def walk(content: bytes) -> tuple[int, int]:
    """Goes from the first whole event to the last one; its step, and where it ends."""
    position, step, end = first_header(content), 0, 0
    while position >= 0 and is_header(content, position):
        stop = position + HEADER + struct.unpack_from("<Q", content, position)[0]
        payload = content[position + HEADER : stop]
        if content[stop : stop + 4] != checksum(payload):
            break
        step, position = step_of(payload), stop + 4
        end = position
    return step, end


def first_header(content: bytes) -> int:
    return next((position for position in range(len(content)) if is_header(content, position)), -1)


def is_header(content: bytes, position: int) -> bool:
    """Whether a record begins here; a length is short, so its zeros rule out most places."""
    length = content[position : position + 8]
    return length[2:] == bytes(6) and content[position + 8 : position + HEADER] == checksum(length)


def step_of(payload: bytes) -> int:
    """The step of an event of ours. Returns 0 if it has none."""
    if payload[9:10] != b"\x10":
        return 0
    step, shift = 0, 0
    for byte in payload[10:20]:
        step |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return step


def whole_file(at: float, events: Iterable[bytes]) -> bytes:
    return b"".join((first_event(at), *events))
