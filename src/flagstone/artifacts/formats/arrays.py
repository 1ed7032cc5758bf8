"""Look into NumPy files by their headers alone: no array is loaded, nothing pickled is touched."""

from __future__ import annotations

import ast
import math
import re
import struct
from typing import BinaryIO

from flagstone.artifacts.formats.reading import Unreadable
from flagstone.artifacts.formats.shape import Makers, Shape, printable_name

MAGIC = b"\x93NUMPY"
HEADER_LIMIT_BYTES = 65_536
DIRECTORY_LIMIT_BYTES = 4_000_000
ARRAYS_LISTED = 100
PLAIN_TYPE = re.compile(r"[<>|=]([biufcmMSUV])(\d+)(\[\w+\])?\Z")
UNIT_BYTES = {"U": 4}


def npy_shape(stream: BinaryIO, size: int) -> Shape:
    dtype, shape, start, width = header(stream)
    if width is not None and start + width * math.prod(shape) != size:
        raise Unreadable("a NumPy file whose size does not fit its header: it was cut short or added to")
    count = math.prod(shape)
    return Shape({"type": "array", "dtype": printable_name(dtype), "shape": list(shape)}, count, Makers(unnamed=1))


def header(stream: BinaryIO) -> tuple[str, tuple[int, ...], int, int | None]:
    """Type, shape, where the values begin, and a value's bytes (None if the type is a record)."""
    start = stream.read(8)
    if len(start) < 8 or start[:6] != MAGIC or start[6] not in (1, 2, 3):
        raise Unreadable("not a NumPy file (its first bytes are others)")
    width, layout = (2, "<H") if start[6] == 1 else (4, "<I")
    packed = stream.read(width)
    length = struct.unpack(layout, packed)[0] if len(packed) == width else HEADER_LIMIT_BYTES + 1
    if length > HEADER_LIMIT_BYTES:
        raise Unreadable("a NumPy file with a damaged header")
    try:
        fields = ast.literal_eval(stream.read(length).decode("latin-1").strip())
        described, shape = fields["descr"], tuple(fields["shape"])
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError):
        raise Unreadable("a NumPy file with a damaged header") from None
    if not all(isinstance(side, int) and side >= 0 for side in shape):
        raise Unreadable("a NumPy file with a damaged header")
    return str(described), shape, 8 + width + length, value_bytes(described)


def value_bytes(described: object) -> int | None:
    if "O" in re.sub(r"'[^']*'\s*,\s*(?=')", "", str(described)):
        raise Unreadable("holds pickled Python objects, which are not opened: save plain numbers")
    if not isinstance(described, str):
        return None
    found = PLAIN_TYPE.match(described)
    if not found:
        raise Unreadable("a NumPy file of an unknown type")
    return int(found[2]) * UNIT_BYTES.get(found[1], 1)


def npz_shape(stream: BinaryIO, size: int) -> Shape:
    """The arrays of the archive, by their headers; a huge directory or a damaged one is refused."""
    import zipfile
    import zlib

    refuse_large_directory(stream, size)
    arrays, count = [], 0
    try:
        with zipfile.ZipFile(stream) as archive:
            members = [name for name in sorted(archive.namelist()) if name.endswith(".npy")]
            for name in members[:ARRAYS_LISTED]:
                with archive.open(name) as member:
                    dtype, shape, _, _ = header(member)  # type: ignore[arg-type]
                count += math.prod(shape)
                arrays.append({"name": printable_name(name[:-4]), "dtype": printable_name(dtype), "shape": list(shape)})
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
        raise Unreadable("not a whole NumPy archive") from None
    if not members:
        raise Unreadable("a NumPy archive without arrays")
    return Shape({"type": "archive", "arrays": arrays, "array_count": len(members)}, count, Makers(unnamed=1))


def refuse_large_directory(stream: BinaryIO, size: int) -> None:
    """The archive's table of contents is read whole, so its size is looked at first."""
    stream.seek(max(0, size - 65_557))
    tail = stream.read(65_557)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + 22 > len(tail):
        raise Unreadable("not a whole NumPy archive")
    (directory_bytes,) = struct.unpack("<I", tail[at + 12 : at + 16])
    if directory_bytes > DIRECTORY_LIMIT_BYTES:
        raise Unreadable("a NumPy archive with too many members")
    stream.seek(0)
