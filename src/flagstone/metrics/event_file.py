"""TensorBoard's file format, as far as numbers need it: written without TensorBoard."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from flagstone.metrics.wire import HEAD, encoded_varint, fields, masked_crc, payload_at

TAIL = 1 << 13  # several records, however long the names in them are
STEP = 2  # the field of an event that holds it


def checksum(content: bytes) -> bytes:
    return struct.pack("<I", masked_crc(content))


def record(payload: bytes) -> bytes:
    """One event as a file holds it."""
    length = struct.pack("<Q", len(payload))
    return b"".join((length, checksum(length), payload, checksum(payload)))


def chunk(number: int, content: bytes) -> bytes:
    """A field that holds bytes, text or another message."""
    return encoded_varint(number << 3 | 2) + encoded_varint(len(content)) + content


def double_field(number: int, value: float) -> bytes:
    return encoded_varint(number << 3 | 1) + struct.pack("<d", value)


def small_float(value: float) -> bytes:
    try:
        return struct.pack("<f", value)
    except OverflowError:
        return struct.pack("<f", math.copysign(math.inf, value))


@lru_cache(maxsize=64)
def number_head(tag: str) -> bytes:
    """All of a tagged number but its four bytes: the same at every step."""
    inner = chunk(1, tag.encode("utf-8", "replace")) + b"\x15"
    return b"\x0a" + encoded_varint(len(inner) + 4) + inner


def first_event(at: float) -> bytes:
    """What every event file begins with."""
    return record(double_field(1, at) + chunk(3, b"brain.Event:2"))


def scalars_event(at: float, step: int, values: Mapping[str, float]) -> bytes:
    """The bytes of one event: the numbers of one step, by tag."""
    rows = b"".join([number_head(tag) + small_float(value) for tag, value in values.items()])
    return record(double_field(1, at) + b"\x10" + encoded_varint(step) + chunk(5, rows))


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
    first = (position for position in range(len(content)) if content[position + 2 : position + 8] == bytes(6))
    position = next((position for position in first if payload_at(content, position) is not None), len(content))
    step = end = 0
    while (payload := payload_at(content, position)) is not None:
        step = step_of(payload)
        position = end = position + HEAD + len(payload) + 4
    return step, end


def step_of(payload: bytes) -> int:
    """The step of an event. Returns 0 if it has none."""
    return next((int(value) for number, _, value in fields(payload) if number == STEP), 0)


def whole_file(at: float, events: Iterable[bytes]) -> bytes:
    return b"".join((first_event(at), *events))
