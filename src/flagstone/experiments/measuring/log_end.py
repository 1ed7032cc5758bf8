"""The end of a log with the reason why it ended there: bounded whatever the log holds, and plain text."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flagstone.experiments.measuring.tracebacks import Raised, exception_rows, is_of_launcher, outline, raised_in
from flagstone.text import printable_text

MOST_BYTES = 8192
BLOCK = 1 << 20
WINDOW = 1 << 20  # what is read before and behind the last traceback: a chain of 500 frames is about 100 KB
LAST = 256 << 10  # what is read of the end
CRASH_REACH = 8 << 20  # how far from the end a native crash is looked for
LINE = 400
CAUSE = 200
OVERLAP = 4096
TRACEBACK = b"Traceback (most recent call last)"
CRASH = re.compile(
    r"Segmentation fault|Fatal Python error|Bus error|core dumped|\bAborted\b|CUDA (?:error|out of memory)|NCCL error"
    r"|OutOfMemoryError|\bOOM\b|oom-kill|[Oo]ut of memory|\bKilled\b|terminate called|what\(\):|panicked at"
    r"|Assertion .{0,200} failed|\bSIG(?:KILL|SEGV|ABRT|BUS)\b|Illegal instruction|[Cc]annot allocate memory"
)
ERROR = re.compile(r"\b(?:[A-Z]\w*(?:Error|Exception)|error|ERROR|FATAL|fatal)\b\s*:")
CRASH_BYTES = re.compile(CRASH.pattern.encode())


def tail_text(log: Path, lines: int = 80) -> str:
    """At most `lines` lines and 8 KB: what was raised last, other signs of a crash, then the last lines."""
    try:
        with open(log, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            end = plain_lines(read_at(stream, max(0, size - LAST), LAST), starts_whole=size <= LAST)
            raised = around_traceback(stream, size)
            crash = crash_lines(stream, size)
    except OSError as error:
        return f"there is no log to read at {log.name}: {error.strerror}\n"
    if not size:
        return f"{log.name} is empty: nothing was printed\n"
    return put_together(raised, crash, end, lines)


def cause_in(log: Path) -> str:
    """Why a program ended badly, in one line: what was raised last, or else the last sign of a crash."""
    try:
        with open(log, "rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            raised = not_launchers(around_traceback(stream, size, reach=CRASH_REACH))
            lines = exception_rows(raised[-1]) if raised else crash_lines(stream, size)[-1:]
    except OSError:
        return ""
    return lines[0].strip()[:CAUSE] if lines else ""


def last_line_in(log: Path) -> str:
    """The last line that a program printed."""
    lines = tail_text(log, 5).split("\n") if log.exists() and log.stat().st_size else []
    return next((line.strip()[:CAUSE] for line in reversed(lines) if line.strip()), "")


def read_at(stream: BinaryIO, position: int, count: int) -> bytes:
    stream.seek(position)
    return stream.read(count)


def plain_lines(content: bytes, *, starts_whole: bool = True) -> list[str]:
    """The lines of a piece of a log, without terminal sequences and cut to a width; a first half line is left out."""
    pieces = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return [plain_line(piece) for piece in (pieces if starts_whole or len(pieces) == 1 else pieces[1:])]


def plain_line(piece: bytes) -> str:
    text = printable_text(piece[: LINE * 8].decode("utf-8", "replace")).replace("\t", "    ").rstrip()
    left_out = len(piece) - LINE
    return text if len(text) <= LINE else f"{text[:LINE]} [… {left_out} bytes left out …]"


def around_traceback(stream: BinaryIO, size: int, reach: float = math.inf) -> list[Raised]:
    """What was raised last, as far as the log shows it: several ranks may have written at once."""
    position = last_position(stream, size, TRACEBACK, reach)
    if position < 0:
        return []
    start = max(0, position - WINDOW)
    return raised_in(plain_lines(read_at(stream, start, 2 * WINDOW), starts_whole=start == 0))


def last_position(stream: BinaryIO, size: int, needle: bytes, reach: float = math.inf) -> int:
    """The position of its last occurrence, or -1. Reads from the end, one block at a time."""
    end = size
    while end > max(0, size - reach):
        start = max(0, end - BLOCK)
        # the overlap finds what extends over two blocks
        found = read_at(stream, start, end - start + len(needle) - 1).rfind(needle)
        if found >= 0:
            return start + found
        end = start
    return -1


def crash_lines(stream: BinaryIO, size: int) -> list[str]:
    """The last lines that tell of a native crash, or else of an error."""
    end = size
    while end > max(0, size - CRASH_REACH):
        start = max(0, end - BLOCK)
        content = read_at(stream, start, end - start + OVERLAP)
        if CRASH_BYTES.search(content):
            return last_distinct([line for line in plain_lines(content) if CRASH.search(line)], 5)
        end = start
    near = plain_lines(read_at(stream, max(0, size - BLOCK), BLOCK))
    return last_distinct([line for line in near if ERROR.search(line)], 3)


def last_distinct(lines: list[str], count: int) -> list[str]:
    """The last few that differ by more than their numbers, in order."""
    seen: dict[str, str] = {}
    for line in reversed(lines):
        seen.setdefault(re.sub(r"\d+", "0", line), line)
        if len(seen) == count:
            break
    return list(reversed(seen.values()))


@dataclass
class Page:
    """The lines of a text of limited size: once it is full, further lines are left out."""

    lines: int
    room: int = MOST_BYTES

    def take(self, wanted: list[str], *, share: float = 1.0, from_end: bool = False) -> list[str]:
        """As many of these as fit into a share of what is left, from the first or from the last."""
        lines, room = math.ceil(self.lines * share), int(self.room * share)
        taken: list[str] = []
        for line in reversed(wanted) if from_end else wanted:
            cost = len(line.encode("utf-8")) + 1
            if len(taken) >= lines or cost > room:
                break
            taken.append(line)
            room -= cost
            self.room -= cost
        self.lines -= len(taken)
        return taken[::-1] if from_end else taken


def not_launchers(raised: list[Raised]) -> list[Raised]:
    """What programs raised, if any did: that a launcher failed after them explains nothing."""
    return [each for each in raised if not is_of_launcher(each)] or raised


def put_together(raised: list[Raised], crash: list[str], end: list[str], lines: int) -> str:
    """The exception has room before all others; the last lines take what is left."""
    page = Page(max(lines, 1))
    own = not_launchers(raised)
    message = page.take(exception_rows(own[-1])[: max(1, lines // 10)], share=0.4) if own else []
    known = {row for each in own[-1:] for part in each.chain for row in exception_rows(part)}
    others = [row for each in raised if each is not own[-1] for row in exception_rows(each)[:1]]
    also = [row for row in dict.fromkeys([*last_distinct(others, 4), *crash]) if row not in known]
    also = page.take(also, share=0.4)
    way = page.take(way_to(own[-1], page)) if own else []
    shown = [*way, *message, *(["[also]", *also] if also and message else also)]
    last = without_blank_end(end)
    if shown and last[-len(shown) :] == shown:  # the log ends with it: nothing is said twice
        return "\n".join(Page(max(lines, 1)).take(last, from_end=True)) + "\n"
    page.lines -= 2
    page.room -= 40
    rest = page.take(last, from_end=True) if page.lines > 0 else []
    if shown and rest:
        shown.append("[the last lines]")
    return "\n".join([*shown, *rest]) + "\n"


def way_to(raised: Raised, page: Page) -> list[str]:
    """As much of the way to an exception as fits; what is nearest to it is never cut off."""
    count = int(page.lines * 0.7)
    while count > 2:
        rows = outline(raised, count)
        if len(rows) <= page.lines * 0.8 and sum(len(row.encode("utf-8")) + 1 for row in rows) <= page.room * 0.75:
            return rows
        count = count * 2 // 3
    return []


def without_blank_end(lines: list[str]) -> list[str]:
    return lines[: next((count for count in range(len(lines), 0, -1) if lines[count - 1]), 0)]
