"""Durations as people write them: 25m, 1h30m, 1.5h, 2d."""

from __future__ import annotations

import re

UNITS = {"d": 86_400, "h": 3600, "hr": 3600, "m": 60, "min": 60, "s": 1, "sec": 1}
PART = r"(\d{1,9}(?:\.\d{1,9})?)\s*(d|hr|h|min|m|sec|s)\s*"
WHOLE = re.compile(rf"(?:{PART})+\Z", re.ASCII)
NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?\Z", re.ASCII)
FORMS = "is no duration: write a number above 0 with its unit, such as 25m, 1h30m, 1.5h or 2d"


def duration_s(text: str | float) -> float | None:
    """The seconds of a duration. A number alone is minutes. Returns None for 0 and for everything else."""
    words = ("" if isinstance(text, bool) else str(text)).strip()
    if NUMBER.match(words):
        return float(words) * 60 or None
    if not WHOLE.match(words):
        return None
    parts = [(float(number) * UNITS[unit], UNITS[unit]) for number, unit in re.findall(PART, words)]
    units = [unit for _, unit in parts]
    if units != sorted(set(units), reverse=True):
        return None  # 30m1h or 1h1h
    return sum(seconds for seconds, _ in parts) or None
