"""Whether a ledger is whole: each line carries the digest of the line before it. Told without parsing the lines."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from flagstone.records import ZERO

# the keys of a line are sorted, and no other key of it comes before this one
FIRST = b'{"before":"'
DIGEST = slice(len(FIRST), len(FIRST) + 64)
MOST = 3


def ledger_problems(path: Path) -> list[str]:
    """What is wrong with a ledger, in words: changed, lost or unreadable lines; not a last one that a kill cut off."""
    found: list[str] = []
    before = ZERO.encode()
    try:
        stream = open(path, "rb")  # noqa: SIM115  closed below
    except OSError:
        return found
    with stream:
        for number, raw in enumerate(stream, 1):
            is_cut_off = not raw.endswith(b"\n")
            line = raw.rstrip(b"\n")
            if not line:
                continue
            is_ours = line.startswith(FIRST) and line.endswith(b"}")
            told = line[DIGEST] if is_ours else told_slowly(line)
            if told is None and not is_cut_off:
                found.append(f"line {number} of the ledger cannot be read and is passed over")
            elif told != before and not is_cut_off:
                found.append(f"line {number} of the ledger does not follow from the line before it")
            before = hashlib.sha256(line).hexdigest().encode()
    more = len(found) - MOST
    return [*found[:MOST], *([f"and {more} more lines like these"] if more > 0 else [])]


def told_slowly(line: bytes) -> bytes | None:
    """The digest in a line of another form; None where there is none."""
    try:
        return str(json.loads(line)["before"]).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
