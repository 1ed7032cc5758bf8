"""Objects as git writes them: named, loose, and in a pack."""

from __future__ import annotations

import hashlib
import os
import zlib

KINDS = {b"commit": 1, b"tree": 2, b"blob": 3}


def object_name(kind: bytes, content: bytes) -> str:
    return hashlib.sha1(kind + b" %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def loose_form(kind: bytes, content: bytes) -> bytes:
    return zlib.compress(kind + b" %d\0" % len(content) + content, 1)


def parts_of(packed: bytes) -> tuple[bytes, bytes]:
    """Kind and content of a loose object."""
    head, _, content = zlib.decompress(packed).partition(b"\0")
    kind, _, size = head.partition(b" ")
    if int(size) != len(content):
        raise ValueError("the object is not whole")
    return kind, content


def is_object(sha: str, packed: bytes) -> bool:
    try:
        return object_name(*parts_of(packed)) == sha
    except (zlib.error, ValueError):
        return False


def write_all(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def pack_of(objects: list[tuple[bytes, bytes]]) -> bytes:
    """Objects as a pack, each whole."""
    parts = [b"PACK" + (2).to_bytes(4) + len(objects).to_bytes(4)]
    for kind, content in objects:
        parts += [entry_head(KINDS[kind], len(content)), zlib.compress(content, 1)]
    whole = b"".join(parts)
    return whole + hashlib.sha1(whole, usedforsecurity=False).digest()


def entry_head(kind: int, size: int) -> bytes:
    """Kind and size of a pack's entry: four bits of the size first, then seven at a time."""
    found, byte, rest = bytearray(), kind << 4 | size & 15, size >> 4
    while rest:
        found.append(byte | 128)
        byte, rest = rest & 127, rest >> 7
    return bytes([*found, byte])
