"""Durations as people write them: 90s, 25m, 1h30m, 2d."""

import re

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text):
    """The seconds in a text such as 1h30m. A number alone is minutes."""
    words = text.strip().lower()
    if not words:
        raise ValueError("a duration is empty")
    if words.isdigit():
        return int(words) * 60
    parts = re.findall(r"(\d+)([smhd])", words)
    if "".join(number + unit for number, unit in parts) != words:
        raise ValueError(f"not a duration: {text!r}")
    if len({unit for _, unit in parts}) < len(parts):
        raise ValueError(f"a unit stands twice: {text!r}")
    return sum(int(number) * UNITS[unit] for number, unit in parts)


def text(count):
    """The shortest text for so many seconds."""
    if count < 0:
        raise ValueError("a duration is negative")
    if count == 0:
        return "0s"
    words = ""
    for unit in "dhms":
        number, count = divmod(count, UNITS[unit])
        if number:
            words += f"{number}{unit}"
    return words


def longest(texts):
    """The longest of several durations, as it was written. None if there is none."""
    best = None
    for each in texts:
        if best is None or seconds(each) > seconds(best):
            best = each
    return best
