"""TensorBoard's file format, as far as numbers and hyperparameters need it: written without TensorBoard."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

POLYNOMIAL = 0x82F63B78
TAIL = 1 << 13  # several records, however long the names in them are
HEADER = 12  # the length of a record in eight bytes, and its checksum
SESSION_START, SESSION_END = 3, 4
SUCCESS, FAILURE = 1, 2


def checksums() -> tuple[int, ...]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = (number >> 1) ^ (POLYNOMIAL if number & 1 else 0)
        table.append(number)
    return tuple(table)


TABLE = checksums()


def masked_crc(content: bytes) -> bytes:
    """CRC-32C, turned and shifted as TFRecord asks for it."""
    crc, table = 0xFFFFFFFF, TABLE
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def record(payload: bytes) -> bytes:
    """One event as it stands in a file."""
    length = struct.pack("<Q", len(payload))
    return b"".join((length, masked_crc(length), payload, masked_crc(payload)))


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


def session_event(at: float, parameters: Mapping[str, Any], ended_at: float, status: int) -> bytes:
    """The hyperparameters of one run, and how it ended, for TensorBoard's page of them."""
    entries = (
        chunk(1, chunk(1, name.encode("utf-8", "replace")) + chunk(2, parameter(value)))
        for name, value in parameters.items()
    )
    start = b"".join((*entries, double(5, at)))
    end = b"\x08" + varint(status) + double(2, ended_at)
    rows = (
        marked("_hparams_/session_start_info", chunk(SESSION_START, start)),
        marked("_hparams_/session_end_info", chunk(SESSION_END, end)),
    )
    return record(double(1, at) + chunk(5, b"".join(rows)))


def parameter(value: Any) -> bytes:
    if isinstance(value, bool):
        return b"\x20" + varint(value)
    if isinstance(value, int | float):
        return double(2, float(value))
    return chunk(3, str(value).encode("utf-8", "replace"))


def marked(tag: str, content: bytes) -> bytes:
    """A value of a summary that only carries data of the hyperparameter page."""
    plugin = chunk(1, chunk(1, b"hparams") + chunk(2, content))
    return chunk(1, chunk(1, tag.encode()) + chunk(9, plugin))


def last_step(path: Path) -> tuple[int, int]:
    """The step of the last whole event of a file, and the size up to its end; (0, 0) where there is none."""
    try:
        with open(path, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            start = max(0, size - TAIL)
            stream.seek(start)
            found = walked(stream.read())
            if found[1] == 0 and start > 0:
                start = stream.seek(0)
                found = walked(stream.read())
    except OSError:
        return 0, 0
    return (found[0], start + found[1]) if found[1] else (0, 0)


def walked(content: bytes) -> tuple[int, int]:
    """Goes from the first whole event to the last one; its step, and where it ends."""
    position, step, end = first_header(content), 0, 0
    while position >= 0 and is_header(content, position):
        stop = position + HEADER + struct.unpack_from("<Q", content, position)[0]
        payload = content[position + HEADER : stop]
        if content[stop : stop + 4] != masked_crc(payload):
            break
        step, position = step_of(payload), stop + 4
        end = position
    return step, end


def first_header(content: bytes) -> int:
    return next((position for position in range(len(content)) if is_header(content, position)), -1)


def is_header(content: bytes, position: int) -> bool:
    """Whether a record begins here; a length is short, so most places are told by their zeros."""
    length = content[position : position + 8]
    return length[2:] == bytes(6) and content[position + 8 : position + HEADER] == masked_crc(length)


def step_of(payload: bytes) -> int:
    """The step of an event of ours; 0 where it has none."""
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
