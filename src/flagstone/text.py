"""How names and lists that came from elsewhere are written in our messages."""

from __future__ import annotations

import re
from collections.abc import Sequence

# C0, DEL, C1, line and paragraph separators, bidirectional overrides, lone surrogates
UNSHOWABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def shown(text: str, limit: int = 160) -> str:
    """One line that is safe on a terminal, in a prompt and in a record."""
    head = text[: limit + 1]
    escaped = UNSHOWABLE.sub(escape, head)
    return escaped if len(escaped) <= limit else escaped[: limit - 1] + "…"


def escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def listed(items: Sequence[str], most: int = 5) -> str:
    """A few of the items, and how many more there are."""
    rest = len(items) - most
    return "; ".join(items[:most]) + (f"; and {rest} more" if rest > 0 else "")


def counted(number: int, singular: str, plural: str | None = None) -> str:
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
