"""Look into NumPy files by their headers alone: no array is loaded, nothing pickled is touched."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, BinaryIO

from flagstone.artifacts.formats.reading import Unreadable
from flagstone.artifacts.formats.shape import Makers, Shape, printable_name

if TYPE_CHECKING:
    import numpy as np

HEADER_LIMIT = 65_536
DIRECTORY_LIMIT_BYTES = 4_000_000
ARRAYS_LISTED = 100


def npy_shape(stream: BinaryIO, size: int) -> Shape:
    dtype, shape = header(stream)
    count = math.prod(shape)
    if stream.tell() + dtype.itemsize * count != size:
        raise Unreadable("a NumPy file whose size does not fit its header: it was truncated or extended")
    return Shape({"type": "array"} | array_facts(dtype, shape), count, Makers(unnamed=1))


def header(stream: BinaryIO) -> tuple[np.dtype, tuple[int, ...]]:
    """The type and the shape of an array. The stream is then at its first value."""
    from numpy.lib import format as npy

    try:
        read = npy.read_array_header_1_0 if npy.read_magic(stream)[0] == 1 else npy.read_array_header_2_0
        shape, _, dtype = read(stream, max_header_size=HEADER_LIMIT)
        if min(shape, default=0) < 0:
            raise ValueError
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError, struct.error):
        raise Unreadable("not a NumPy file, or one with a damaged header") from None
    if dtype.hasobject:
        raise Unreadable("contains pickled Python objects, which are not opened: save plain numbers")
    return dtype, shape


def array_facts(dtype: np.dtype, shape: tuple[int, ...]) -> dict[str, object]:
    return {"dtype": printable_name(dtype.str if dtype.names is None else dtype.descr), "shape": list(shape)}


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
                    dtype, shape = header(member)  # type: ignore[arg-type]
                count += math.prod(shape)
                arrays.append({"name": printable_name(name[:-4])} | array_facts(dtype, shape))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
        raise Unreadable("an incomplete NumPy archive") from None
    if not members:
        raise Unreadable("a NumPy archive without arrays")
    return Shape({"type": "archive", "arrays": arrays, "array_count": len(members)}, count, Makers(unnamed=1))


def refuse_large_directory(stream: BinaryIO, size: int) -> None:
    """The archive's table of contents is read whole, so its size is looked at first."""
    stream.seek(max(0, size - 65_557))
    tail = stream.read(65_557)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or at + 22 > len(tail):
        raise Unreadable("an incomplete NumPy archive")
    (directory_bytes,) = struct.unpack("<I", tail[at + 12 : at + 16])
    if directory_bytes > DIRECTORY_LIMIT_BYTES:
        raise Unreadable("a NumPy archive with too many members")
    stream.seek(0)
