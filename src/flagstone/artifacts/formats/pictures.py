"""Look into figures: is a PNG, JPEG, SVG or PDF what its name says, and how large is it?"""

from __future__ import annotations

import re
import struct
import zlib
from typing import BinaryIO

from flagstone.artifacts.formats.reading import Unreadable, size_words
from flagstone.artifacts.formats.shape import Shape

SVG_LIMIT_BYTES = 32_000_000
PDF_LIMIT_BYTES = 64_000_000
UNPACKED_LIMIT_BYTES = 4_000_000
OBJECT_STREAMS = 500
CHUNKS = 100_000
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
OBJECT_STREAM = re.compile(rb"/Type\s*/ObjStm\b.{0,400}?stream\r?\n", re.DOTALL)
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def png_shape(stream: BinaryIO, size: int) -> Shape:
    """Walks the chunks from the header to the end mark; pixels are not decoded."""
    start = stream.read(33)
    if start[:8] != b"\x89PNG\r\n\x1a\n" or len(start) < 33 or start[12:16] != b"IHDR":
        raise Unreadable("not a PNG picture (its first bytes are others)")
    width, height = struct.unpack(">II", start[16:24])
    if zlib.crc32(start[12:29]) != struct.unpack(">I", start[29:33])[0]:
        raise Unreadable("a damaged PNG picture (its header does not fit its checksum)")
    pixels, is_whole = png_chunks(stream, size)
    if not is_whole or not pixels:
        raise Unreadable("a truncated PNG picture")
    return picture(width, height)


def png_chunks(stream: BinaryIO, size: int) -> tuple[int, bool]:
    """Bytes of pixels, and whether the end mark was reached."""
    pixels = 0
    for _ in range(CHUNKS):
        head = stream.read(8)
        if len(head) < 8:
            break
        length, name = struct.unpack(">I4s", head)
        if stream.tell() + length + 4 > size:
            break
        if name == b"IEND":
            return pixels, True
        pixels += length if name == b"IDAT" else 0
        stream.seek(length + 4, 1)
    return pixels, False


def picture(width: int, height: int) -> Shape:
    if not width or not height:
        raise Unreadable("a picture without width or height")
    return Shape({"type": "figure", "width_px": width, "height_px": height}, 1)


def jpeg_shape(stream: BinaryIO, size: int) -> Shape:
    """Walks the segments to the frame that states the size, and looks for the end mark."""
    if stream.read(2) != b"\xff\xd8":
        raise Unreadable("not a JPEG picture (its first bytes are others)")
    width, height = jpeg_frame(stream)
    stream.seek(max(0, size - 4096))
    if b"\xff\xd9" not in stream.read(4096):
        raise Unreadable("a truncated JPEG picture")
    return picture(width, height)


def jpeg_frame(stream: BinaryIO) -> tuple[int, int]:
    for _ in range(1000):
        marker = stream.read(2)
        while len(marker) == 2 and marker == b"\xff\xff":
            marker = b"\xff" + stream.read(1)
        length = stream.read(2)
        if len(marker) < 2 or len(length) < 2 or marker[0] != 0xFF:
            break
        if marker[1] in JPEG_FRAMES:
            frame = stream.read(5)
            if len(frame) < 5:
                break
            height, width = struct.unpack(">HH", frame[1:])
            return width, height
        stream.seek(max(struct.unpack(">H", length)[0] - 2, 0), 1)
    raise Unreadable("a damaged JPEG picture (it has no size)")


def svg_shape(stream: BinaryIO, size: int) -> Shape:
    """Well-formed XML whose root is svg; its own entities are refused."""
    from xml.parsers import expat

    if size > SVG_LIMIT_BYTES:
        raise Unreadable(f"larger than {size_words(SVG_LIMIT_BYTES)}")
    elements: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_: object) -> None:
        raise Unreadable("an SVG picture that declares its own entities")

    parser.StartElementHandler = lambda name, _: elements.append(name)
    parser.EntityDeclHandler = refuse
    try:
        parser.ParseFile(stream)
    except (expat.ExpatError, ValueError):
        raise Unreadable(f"not well-formed XML (line {parser.CurrentLineNumber})") from None
    if elements[0] not in ("svg", f"{SVG_NAMESPACE} svg"):
        raise Unreadable("XML, but not an SVG picture (its root is something else)")
    if len(elements) < 2:
        raise Unreadable("an SVG picture with nothing drawn in it")
    return Shape({"type": "figure", "element_count": len(elements)}, 1)


def pdf_shape(stream: BinaryIO, size: int) -> Shape:
    pages = pdf_pages(stream, size)
    return Shape({"type": "figure", "page_count": pages}, pages)


def pdf_pages(stream: BinaryIO, size: int) -> int:
    """How many pages a PDF has, those in compressed object streams included."""
    if size > PDF_LIMIT_BYTES:
        raise Unreadable(f"larger than {size_words(PDF_LIMIT_BYTES)}")
    content = stream.read(PDF_LIMIT_BYTES + 1)
    if b"%PDF-" not in content[:1024]:
        raise Unreadable("not a PDF (its first bytes are others)")
    if b"%%EOF" not in content[-1024:]:
        raise Unreadable("a truncated PDF (its end mark is missing)")
    pages = len(PAGE.findall(content))
    for number, found in enumerate(OBJECT_STREAM.finditer(content)):
        if number == OBJECT_STREAMS:
            break
        pages += len(PAGE.findall(unpack(content[found.end() : found.end() + UNPACKED_LIMIT_BYTES])))
    if not pages:
        raise Unreadable("a PDF without pages")
    return pages


def unpack(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, UNPACKED_LIMIT_BYTES)
    except zlib.error:
        return b""
