"""Lines of a log of any size, from its end, in little memory."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flagstone.metrics.pairs import pairs_in, plain_name, spelling_pattern

LINE = 4096
NEAR = 512  # bytes around a mention that are looked at in a longer line
BLOCK = 1 << 20
CUT_LEFT = re.compile(rb"\A[\w./@'\"-]{0,100}[\s=:|]{0,20}[\w./@'\"-]{0,100}")
OF_A_PAIR = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@+-'\""
WITHIN_NAMES = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_./@-")
COLOUR = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


@contextmanager
def open_plain(path: Path) -> Iterator[int]:
    """A handle of a plain file; OSError for what is none. Nobody is waited for at the other end of a pipe."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is no file", str(path))
        yield handle
    finally:
        os.close(handle)


def lines_from(handle: int, start: int, needle: bytes = b"") -> Iterator[str]:
    """Every line from here to the end, and every state of a progress bar; a longer line comes in pieces.

    With a `needle`, lines without it may be left out.
    """
    rest, is_continued = b"", start > 0 and os.pread(handle, 1, start - 1) not in (b"\n", b"\r")
    while chunk := os.pread(handle, BLOCK, start):
        start += len(chunk)
        lines, end, rest = (rest + chunk).replace(b"\r", b"\n").rpartition(b"\n")
        if end:
            yield from split(lines, needle, is_continued)
            is_continued = False
        while len(rest) > BLOCK:
            yield from pieces(rest[:BLOCK], is_continued, goes_on=True)
            rest, is_continued = rest[BLOCK - NEAR :], True
    yield from pieces(rest, is_continued)


def split(lines: bytes, needle: bytes, is_continued: bool) -> Iterator[str]:
    """Single lines; those without the needle left out, unless a colour may stand in its midst."""
    needle = b"" if b"\x1b" in lines else needle
    if needle not in lines:
        return
    for number, line in enumerate(lines.split(b"\n")):
        if needle not in line:
            continue
        if len(line) <= LINE and b"\x1b" not in line and (number or not is_continued):
            yield line.decode("utf-8", "replace")  # nearly all lines
        else:
            yield from pieces(line, is_continued and not number)


def pieces(line: bytes, is_continued: bool = False, goes_on: bool = False) -> Iterator[str]:
    """A line without its colours, in parts that overlap, so that one of them holds each pair whole."""
    if not line:
        return
    if b"\x1b" in line:
        line = COLOUR.sub(b"", line)
    for start in range(0, max(len(line) - NEAR, 1), LINE - NEAR):
        part = line[start : start + LINE]
        # what is cut through is in the next part, or was in the one before; `@` makes a name of nothing behind it
        if start + LINE < len(line) or goes_on:
            part = part.rstrip(OF_A_PAIR)
        if start or is_continued:
            part = CUT_LEFT.sub(b"@", part, count=1)
        yield part.decode("utf-8", "replace")


def mentions_before(handle: int, end: int, names: set[str]) -> Iterator[list[str]]:
    """The lines that may hold one of these names, block by block from the end; whoever reads may take names out."""
    while end > 0 and names:
        begin = max(0, end - BLOCK)
        before = min(begin, LINE)
        content = os.pread(handle, before + end - begin + LINE, begin - before).replace(b"\r", b"\n")
        if before == begin:  # from here on every line has an end before it
            content, before = b"\n" + content, before + 1
        if b"\x1b" in content:
            content = COLOUR.sub(lambda found: b" " * len(found[0]), content)
        yield list(mentions(content, (before, before + end - begin), names))
        end = begin


def hits(content: bytes, within: tuple[int, int], names: set[str]) -> list[tuple[int, int]]:
    """Where these names stand in any spelling, and not within another name."""
    small = content.lower()
    # one search for each: a pattern that begins with a fixed word is found ten times faster
    patterns = [re.compile(spelling_pattern(name.lower()).encode() + rb"(?!\w)") for name in names]
    spans = (hit.span() for pattern in patterns for hit in pattern.finditer(small, within[0]))
    return sorted(span for span in spans if span[0] < within[1] and small[span[0] - 1] not in WITHIN_NAMES)


def mentions(content: bytes, within: tuple[int, int], names: set[str]) -> Iterator[str]:
    """Each line with a hit, once; of an endless line the part around the hit."""
    position = 0
    for begin, behind in hits(content, within, names):
        if begin < position:
            continue
        left = content.rfind(b"\n", max(0, begin - LINE), begin)
        right = content.find(b"\n", behind, behind + LINE)
        if left >= 0 and right >= 0 and right - left <= LINE:
            yield from pieces(content[left + 1 : right])
            position = right
        else:
            near = max(left + 1, begin - NEAR)
            end = min(behind + NEAR, right if right >= 0 else len(content))
            yield from pieces(content[near:end], is_continued=left < 0 or near > left + 1, goes_on=end != right)


def numbers_printed(line: bytes, name: str) -> Iterator[float]:
    """Every value of one metric in a line that a program printed, each state of a progress bar included."""
    wanted = frozenset((name,))
    for part in line.replace(b"\r", b"\n").split(b"\n"):
        found = pairs_in(COLOUR.sub(b"", part).decode("utf-8", "replace"), wanted)
        yield from (pair.value for pair in found if plain_name(pair.name) == plain_name(name))
