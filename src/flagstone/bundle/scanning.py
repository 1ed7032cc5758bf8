"""What of a file must not leave the house: secrets, paths of this machine, and names of people."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from flagstone.processes import Redactor

# below these are people's files; /usr, /etc or /tmp tell nobody's name
HOMES = rb"(?:(?:home|Users)/(?!you\b|me\b|user\b|someone\b)|(?:root|scratch|mnt|media|gpfs|lustre|nfs)/)"
PATH = re.compile(rb"(?<![\w./~<-])/" + HOMES + rb"[\w.+-]+(?:/[\w.+-]+)*")
LONG_NAME = 6
GZIP = b"\x1f\x8b"
ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")
PDF_STREAM = re.compile(rb"(?<!end)stream\r?\n")
ZIP_ENTRY = re.compile(rb"PK\x03\x04.{4}\x08\x00.{16}(.{4})", re.DOTALL)
INFLATED_BYTES = 64_000_000
PIECE = 1 << 16


@dataclass(frozen=True)
class Leak:
    """Something in a file that must not leave: where, and what. A secret itself is not repeated."""

    path: str
    line: int
    what: str

    @property
    def text(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Scanner:
    """Knows what to look for. `places` are folders of this machine, and what is written in their stead."""

    redactor: Redactor
    places: Mapping[str, str]
    names: frozenset[str]

    @cached_property
    def personal(self) -> re.Pattern[bytes]:
        """A place of this machine, any home, or a name of a person as a word."""
        known = [re.escape(place.encode()) for place in self.places]
        words = [rb"(?<![A-Za-z0-9_-])" + re.escape(name.encode()) + rb"(?![A-Za-z0-9_-])" for name in self.names]
        return re.compile(b"|".join([*known, PATH.pattern, *words]))

    def leaks(self, path: str, content: bytes) -> Iterator[Leak]:
        for part in (content, *unpacked_parts(path, content)):
            for start, _ in self.redactor.spans(part):
                yield Leak(path, line_at(part, start), "a secret, or what has the shape of one")
            for found in self.personal.finditer(part):
                shown = found[0].decode("utf-8", "replace")
                if shown in self.names and len(shown) < LONG_NAME and b"\0" in part:
                    continue  # three letters in a row are in any picture
                what = "the name of a person" if shown in self.names else "a path of a machine"
                yield Leak(path, line_at(part, found.start()), f"{what}, {shown}")

    def harmless_text(self, content: bytes) -> bytes:
        """A text without secrets, and with words in place of paths and names."""
        return self.personal.sub(self.word_for, self.redactor.clean(content))

    def word_for(self, found: re.Match[bytes]) -> bytes:
        text = found[0].decode("utf-8", "replace")
        return (self.places.get(text) or ("PERSON" if text in self.names else "PATH")).encode()


def line_at(content: bytes, start: int) -> int:
    return content.count(b"\n", 0, start) + 1


def unpacked_parts(path: str, content: bytes) -> Iterator[bytes]:
    """What is compressed inside of a file: objects of git, streams of a PDF, parts of a zip file, a gzip file."""
    if ".git/" in path:
        yield from streams(content, ZLIB, 15)
    elif content.startswith(b"%PDF"):
        yield from streams(content, PDF_STREAM, 15)
    elif content.startswith(b"PK"):
        yield from streams(content, ZIP_ENTRY, -15)
    elif content.startswith(GZIP):
        yield inflate(content, 0, 31)[0]


def streams(content: bytes, start: re.Pattern[bytes], window: int) -> Iterator[bytes]:
    """Every compressed stream that begins where the pattern ends."""
    position, left = 0, INFLATED_BYTES
    while left > 0 and (found := start.search(content, position)):
        begin = found.end() if found.re is not ZLIB else found.start()
        if found.re is ZIP_ENTRY:
            begin += sum(struct.unpack("<HH", found[1]))
        part, end = inflate(content, begin, window, left)
        position = max(found.end(), end)
        left -= len(part)
        yield part


def inflate(content: bytes, begin: int, window: int, most: int = INFLATED_BYTES) -> tuple[bytes, int]:
    """As much as can be unpacked from there on, and where that ends. Takes pieces, so that no long rest is copied."""
    stream, view, found, position = zlib.decompressobj(window), memoryview(content), bytearray(), begin
    try:
        while not stream.eof and position < len(content) and len(found) < most:
            found += stream.decompress(view[position : position + PIECE], most - len(found))
            position += PIECE
    except zlib.error:
        return bytes(found), begin
    return bytes(found), min(position, len(content)) - len(stream.unused_data)
