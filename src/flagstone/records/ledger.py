"""Append-only files of records, each line chained to the one before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, overload

from flagstone.records.encoding import ZERO, Kind, decode_or_none, digest_bytes, encode, plain_value
from flagstone.records.files import cannot_write, sync_folder

BLOCK = 1 << 16
VERSION = 1  # of the records that only we read; a reader takes every older one
LINKED = b'{"before":"'  # keys are sorted, and this one comes first


@dataclass(frozen=True)
class Ledger:
    """An append-only file of JSON lines, each carrying the digest of the line before it."""

    path: Path

    def append(self, entry: object) -> None:
        """Adds one record. It is durable when this returns. The caller keeps other writers away."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "a+b") as stream:
                before, is_torn = last_line(stream)
                link = {"before": digest_bytes(before) if before else ZERO, "version": VERSION}
                line = encode({**plain_value(entry), **link})
                stream.write((b"\n" if is_torn else b"") + line + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            if not before:  # a new file: its name, and that of its folder, must survive a power cut as well
                sync_folder(self.path.parent)
                sync_folder(self.path.parent.parent)
        except OSError as error:
            raise cannot_write(self.path, error) from error

    @property
    def head(self) -> str:
        """The digest that the next line will carry."""
        with suppress(FileNotFoundError), open(self.path, "rb") as stream:
            before, _ = last_line(stream)
            return digest_bytes(before) if before else ZERO
        return ZERO

    @overload
    def entries(self) -> list[dict[str, Any]]: ...

    @overload
    def entries(self, kind: type[Kind]) -> list[Kind]: ...

    def entries(self, kind: Any = dict[str, Any]) -> list[Any]:
        """Every record of this kind, in order. What cannot be read is left out (see `problems`)."""
        return list(self.read(kind))

    def read(self, kind: type[Kind]) -> Iterator[Kind]:
        """The records one at a time: the memory it takes does not grow with the ledger."""
        return (record for raw in self.raw_lines() if (record := decode_or_none(raw, kind)) is not None)

    def problems(self, *, may_be_cut: bool = False) -> list[str]:
        """What is wrong with the ledger, in words. With `may_be_cut`, a last line without its end is no problem."""
        found: list[str] = []
        for line in self.lines():
            if line.is_cut and may_be_cut:
                break
            if line.link is None:
                found.append(f"line {line.number} of {self.path.name} cannot be read and is passed over")
            elif line.is_broken:
                found.append(f"line {line.number} of {self.path.name} does not follow from the line before it")
        return found

    def rewritten_lines(self) -> list[str]:
        """The lines that somebody has changed, in words. A line that a power cut left half written is none of them."""
        lines, name = list(self.lines()), self.path.name
        found = [
            f"line {line.number} of {name} does not follow from the line before it" for line in lines if line.is_broken
        ]
        is_last_lost = bool(lines) and lines[-1].link is None and not lines[-1].is_cut
        return [*found, f"the last line of {name} cannot be read"] if is_last_lost else found

    def lines(self, start: int = 0, before: str = ZERO) -> Iterator[Line]:
        """Every line from this byte on, whose first has to carry the digest `before`."""
        for number, raw in enumerate(self.raw_lines(start), 1):
            line = raw.rstrip(b"\n")
            yield Line(number, line, link_in(line), before, is_cut=line is raw)
            before = digest_bytes(line)

    def raw_lines(self, start: int = 0) -> Iterator[bytes]:
        try:
            stream = open(self.path, "rb")  # noqa: SIM115  closed below, after the last line
        except OSError:
            return
        with stream:
            stream.seek(start)
            yield from (raw for raw in stream if raw != b"\n")


class Line(NamedTuple):
    """One line, the digest it carries (None if it carries none) and the one it should carry."""

    number: int
    raw: bytes
    link: str | None
    before: str
    is_cut: bool  # whether a kill left it without its end

    @property
    def is_broken(self) -> bool:
        return self.link is not None and self.link != self.before


def link_in(line: bytes) -> str | None:
    """The digest that a line carries. Returns None if it carries none."""
    if line.startswith(LINKED) and line.endswith(b"}"):  # spares decoding 60 MB for one look at an experiment
        return line[len(LINKED) : len(LINKED) + 64].decode("ascii", "replace")
    before = (decode_or_none(line, dict[str, Any]) or {}).get("before")
    return before if isinstance(before, str) else None


def last_line(stream: BinaryIO, end: int | None = None) -> tuple[bytes, bool]:
    """The last line of an open file, or of its first `end` bytes; and whether a kill left it without its end."""
    *whole, torn = last_lines(stream, 1, end)
    stream.seek(0, os.SEEK_END)
    return torn or (whole[-1] if whole else b""), bool(torn)


def last_lines(stream: BinaryIO, count: int, end: int | None = None) -> list[bytes]:
    """At least the last lines of an open file, or of its first `end` bytes, then what follows the last line break."""
    position, tail = stream.seek(0, os.SEEK_END) if end is None else end, b""
    while position > 0 and tail.count(b"\n") <= count:
        step = min(BLOCK, position)
        position -= step
        stream.seek(position)
        tail = stream.read(step) + tail
    return tail.split(b"\n")[1 if position else 0 :]
