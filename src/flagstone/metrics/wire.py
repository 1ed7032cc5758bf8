"""Protocol Buffers as far as event files and wandb's log need them, and the records of event files."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from functools import lru_cache

HEAD = 12  # the length of a record in eight bytes, and its checksum; behind the payload comes another checksum
LARGEST = 1 << 28
CHECKED = 1 << 16  # bytes of a payload whose checksum is worth computing here
POLYNOMIAL = 0x82F63B78
Field = tuple[int, int, int | bytes]


def fields(content: bytes) -> Iterator[Field]:
    """Number, wire type and value of each field of a message; ValueError where it is none."""
    position, size = 0, len(content)
    while position < size:
        key, position = varint(content, position)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, position = varint(content, position)
            yield number, wire, value
            continue
        if wire == 2:
            length, position = varint(content, position)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError("not a message")
        if position + length > size:
            raise ValueError("truncated")
        yield number, wire, content[position : position + length]
        position += length


def varint(content: bytes, position: int) -> tuple[int, int]:
    """A number of any length, and where it ends."""
    value = shift = 0
    while True:
        if position >= len(content) or shift > 63:
            raise ValueError("truncated")
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def encoded_varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)
        found.append(value)
    return tuple(found)


TABLE = table()


def masked_crc(content: bytes) -> int:
    """The checksum that event files carry."""
    value, steps = 0xFFFFFFFF, TABLE
    for byte in content:
        value = steps[(value ^ byte) & 0xFF] ^ (value >> 8)
    value ^= 0xFFFFFFFF
    return (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def single_float(content: bytes) -> float:
    return float(struct.unpack("<f", content)[0])


def double_float(content: bytes) -> float:
    return float(struct.unpack("<d", content)[0])


def payload_at(content: bytes | mmap.mmap, start: int) -> bytes | None:
    """The payload of the record that begins here. Returns None if there is none, or it is torn or damaged."""
    head = content[start : start + HEAD]
    if start < 0 or len(head) < HEAD:
        return None
    length, check = struct.unpack("<QI", head)
    end = start + HEAD + length + 4
    if length > LARGEST or end > len(content) or head_crc(head[:8]) != check:
        return None
    payload = content[start + HEAD : end - 4]
    if length <= CHECKED and masked_crc(payload) != struct.unpack("<I", content[end - 4 : end])[0]:
        return None
    return payload


@lru_cache(maxsize=1024)
def head_crc(length: bytes) -> int:
    """Most records of a file have one of few lengths."""
    return masked_crc(length)
