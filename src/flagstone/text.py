"""How text that came from elsewhere is written on a screen, in a message and in a record."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

LINE_CHARACTERS = 200
SLACK = 40  # a sequence that is cut in two leaves its first half at the end
# whole terminal sequences first: without their ESC, "[31m" would stay behind as text
TERMINAL_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]")
# all controls but tab and newline; marks that reorder or hide text on a screen; lone surrogates
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


def printable_text(text: str, instead: str = "") -> str:
    """A text without anything that steers a terminal, or hides or reorders what is on it. Tabs and lines stay."""
    return UNPRINTABLE.sub(instead, TERMINAL_SEQUENCE.sub("", text) if "\x1b" in text else text)


def one_line(text: str, limit: int = LINE_CHARACTERS) -> str:
    """A text as one printable line of at most `limit` characters."""
    # cut first: cleaning 20 MB to show 200 characters would cost a second; mostly little is enough to see that
    line = collapse_spaces(text[: limit * 2])
    if len(line) <= limit + SLACK < len(text):
        line = collapse_spaces(text[: limit * 8])
    return line if len(line) <= limit else line[: limit - 1] + "…"


def collapse_spaces(text: str) -> str:
    return " ".join(printable_text(text, " ").split())


def escaped_text(text: str, limit: int = 160) -> str:
    """A name as one printable line of at most `limit` characters; what cannot be printed is written as its code."""
    line = re.sub(r"[\t\n]", escape, UNPRINTABLE.sub(escape, text[: limit + 1]))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def list_text(items: Sequence[str], most: int = 5) -> str:
    """A few of the items, and how many more there are."""
    rest = len(items) - most
    return "; ".join(items[:most]) + (f"; and {rest} more" if rest > 0 else "")


def count_text(number: int, singular: str, plural: str | None = None) -> str:
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def clock_text(at_s: float, now_s: float) -> str:
    """A moment as a clock on the wall shows it, such as `14:05`; with the date if that is another day than now."""
    at, now = time.localtime(at_s), time.localtime(now_s)
    return time.strftime("%H:%M" if at[:3] == now[:3] else "%Y-%m-%d %H:%M", at)
