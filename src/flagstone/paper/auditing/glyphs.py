"""Whether a font of a PDF says of a digit that it is something else, or of something else that it is a digit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGIT_OF = {word: str(digit) for digit, word in enumerate(WORDS)} | {
    f"uni003{digit}": str(digit) for digit in range(10)
}
BUILT_IN = re.compile(rb"dup\s+(\d+)\s*/([\w.]+)\s+put")
PAIRS = re.compile(rb"beginbfchar(.*?)endbfchar", re.S)
RANGES = re.compile(rb"beginbfrange(.*?)endbfrange", re.S)
HEX = re.compile(rb"<\s*([0-9A-Fa-f]*)\s*>")


def false_digits(font: Mapping[str, Any]) -> Iterator[str]:
    """For example: the glyph nine reads as a."""
    mapping = font.get("/ToUnicode")
    if mapping is None or not hasattr(mapping.get_object(), "get_data"):
        return
    readings = dict(readings_of(mapping.get_object().get_data()))
    for code, name in glyph_names(font).items():
        reading, digit = readings.get(code), DIGIT_OF.get(name.partition(".")[0])
        if reading is None or reading == digit:
            continue
        if digit is not None or (reading.isdecimal() and not name.startswith(WORDS)):
            yield f"the glyph {name} reads as {reading!r}"


def glyph_names(font: Mapping[str, Any]) -> dict[int, str]:
    """Code -> name of the glyph that is drawn, as far as the font says so."""
    descriptor = font.get("/FontDescriptor")
    program = descriptor.get_object().get("/FontFile") if descriptor is not None else None
    names = (
        {int(code): name.decode() for code, name in BUILT_IN.findall(program.get_object().get_data())}
        if program
        else {}
    )
    encoding = font.get("/Encoding")
    encoding = encoding.get_object() if encoding is not None else None
    code = 0
    for each in encoding.get("/Differences", ()) if isinstance(encoding, dict) else ():
        if isinstance(each, int):
            code = each
        else:
            names[code] = str(each)[1:]
            code += 1
    return names


def readings_of(cmap: bytes) -> Iterator[tuple[int, str]]:
    """Code -> text, from a ToUnicode map."""
    for block in PAIRS.findall(cmap):
        values = HEX.findall(block)
        for code, text in zip(values[::2], values[1::2], strict=False):
            yield int(code or b"0", 16), text_of(text)
    for block in RANGES.findall(cmap):
        for line in block.splitlines():
            values = HEX.findall(line)
            if len(values) < 3:
                continue
            first, last = int(values[0], 16), min(int(values[1], 16), int(values[0], 16) + 255)
            for offset in range(last - first + 1):
                text = (
                    text_of(values[2 + offset])
                    if b"[" in line and 2 + offset < len(values)
                    else next_text(values[2], offset)
                )
                yield first + offset, text


def text_of(hexadecimal: bytes) -> str:
    return bytes.fromhex(hexadecimal.decode().zfill(4)).decode("utf-16-be", "replace")


def next_text(hexadecimal: bytes, offset: int) -> str:
    text = text_of(hexadecimal)
    return text[:-1] + chr(ord(text[-1]) + offset) if text else ""
