"""The footer of a Parquet file: its columns and its number of rows, read without any library."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from flagstone.artifacts.formats.reading import Unreadable

MAGIC = b"PAR1"
FOOTER_LIMIT_BYTES = 16_000_000
NESTING = 32
# The types of Thrift's compact protocol
STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(13)
NUM_CHILDREN, NAME = 5, 4  # fields of a SchemaElement
SCHEMA, NUM_ROWS = 2, 3  # fields of the FileMetaData


def footer(stream: BinaryIO, size: int) -> tuple[list[str], int]:
    """Leaf columns and row count, as the writer recorded them."""
    if size < 12 or stream.read(4) != MAGIC:
        raise Unreadable("not a Parquet file (its first bytes are others)")
    stream.seek(size - 8)
    (length,) = struct.unpack("<I", stream.read(4))
    if stream.read(4) != MAGIC or length > size - 12:
        raise Unreadable("an incomplete Parquet file (its end is missing)")
    if length > FOOTER_LIMIT_BYTES:
        raise Unreadable("a Parquet file whose footer is too large to be read")
    stream.seek(size - 8 - length)
    try:
        return file_metadata(CompactReader(stream.read(length)))
    except (IndexError, struct.error, RecursionError):
        raise Unreadable("a Parquet file whose footer is damaged") from None


class CompactReader:
    """Just enough of Thrift's compact protocol to find two fields and pass over the rest."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    def byte(self) -> int:
        value = self.content[self.at]
        self.at += 1
        return value

    def varint(self) -> int:
        value = shift = 0
        while True:
            part = self.byte()
            value |= (part & 0x7F) << shift
            if not part & 0x80:
                return value
            shift += 7
            if shift > 63:
                raise Unreadable("a Parquet file whose footer is damaged")

    def integer(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def binary(self) -> bytes:
        length = self.varint()
        if self.at + length > len(self.content):
            raise IndexError
        self.at += length
        return self.content[self.at - length : self.at]

    def fields(self) -> Iterator[tuple[int, int]]:
        """The id and the type of each field of a struct. Its value is to be read or skipped before the next one."""
        identity = 0
        while (head := self.byte()) & 0x0F != STOP:
            identity = identity + (head >> 4) if head >> 4 else self.integer()
            yield identity, head & 0x0F

    def list_head(self) -> tuple[int, int]:
        head = self.byte()
        length = head >> 4
        return head & 0x0F, self.varint() if length == 15 else length

    def skip(self, kind: int, depth: int = 0) -> None:
        if depth > NESTING:
            raise IndexError
        if kind == BYTE:
            self.byte()
        elif kind in (I16, I32, I64):
            self.varint()
        elif kind == DOUBLE:
            self.at += 8
        elif kind == BINARY:
            self.binary()
        elif kind in (LIST, SET):
            kind, length = self.list_head()
            for _ in range(length):
                if kind in (TRUE, FALSE):  # in a list each truth value takes a byte
                    self.byte()
                else:
                    self.skip(kind, depth + 1)
        elif kind == STRUCT:
            for _, kind in self.fields():
                self.skip(kind, depth + 1)
        elif kind not in (TRUE, FALSE):
            raise IndexError


def file_metadata(thrift: CompactReader) -> tuple[list[str], int]:
    columns: list[str] = []
    rows = 0
    for identity, kind in thrift.fields():
        if identity == SCHEMA and kind == LIST:
            _, length = thrift.list_head()
            columns = [name for name in (schema_element(thrift) for _ in range(length)) if name is not None]
        elif identity == NUM_ROWS and kind == I64:
            rows = max(thrift.integer(), 0)
        else:
            thrift.skip(kind)
    return columns, rows


def schema_element(thrift: CompactReader) -> str | None:
    """Returns the name of a column, or None for a group, which only holds columns."""
    name, children = "", 0
    for identity, kind in thrift.fields():
        if identity == NAME and kind == BINARY:
            name = thrift.binary().decode("utf-8", "replace")
        elif identity == NUM_CHILDREN and kind == I32:
            children = thrift.integer()
        else:
            thrift.skip(kind)
    return None if children else name
