"""Metrics in what a run printed: `k=v`, `k: v`, `| k | v |`, dicts and progress bars; the last value wins."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.metrics.series import Place, Reading

CHUNK = 1 << 20
LINE = 4096  # of a longer line its beginning and its end are looked at
STEPS = 20
EVERYTHING_BYTES = 16_000_000  # of a larger log only the lines are taken apart that may hold a wanted name
NAMES = 2000
NUMBER = r"[-+]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf(?:inity)?)\b"
NAME = r"[A-Za-z_][\w./@-]*(?: [A-Za-z_][\w./@-]*)?"
# a name, then one of = : | or nothing but blanks, then a number that no letter or further part goes on with
PAIR = re.compile(
    rf"(?<![\w./@-])['\"]?(?P<name>{NAME})['\"]?\s*(?:[=:]\s*|\|\s*|\s)(?:tensor\(|np\.float\d+\()?"
    rf"(?P<value>{NUMBER})(?![\w:/-]|\.\d)",
    re.IGNORECASE,
)
COLOUR = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
SEPARATORS = re.compile(r"[\s_/.-]+")


@dataclass
class Found:
    """The last values of each name, in order."""

    wanted: frozenset[str]
    steps: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        known = self.steps.get(name)
        if known is None:
            if len(self.steps) >= NAMES and name not in self.wanted:
                return
            known = self.steps[name] = []
        known.append(value)
        del known[:-STEPS]


def read(options: Mapping[str, object], place: Place, wanted: Sequence[str]) -> Reading:
    """What the log says, with a person's own pattern where the options hold one."""
    found, problems = Found(frozenset(wanted)), []
    pattern = options.get("regex")
    try:
        own = re.compile(str(pattern)) if pattern else None
        hints = tuple(dict.fromkeys(SEPARATORS.split(name)[-1].lower() for name in wanted))
        is_large = bool(hints) and place.log.stat().st_size > EVERYTHING_BYTES
        for line in lines_of(place.log):
            if own is not None:
                take_own(own, line, wanted, found)
            elif may_hold(line, hints, is_large):
                take_pairs(line, found)
    except OSError as error:
        problems.append(f"{place.log.name} cannot be read: {error.strerror}")
    except re.error as error:
        problems.append(f"the pattern {pattern!r} cannot be used: {error}")
    problems += respelled(found, wanted)
    values = {name: steps[-1] for name, steps in found.steps.items()}
    last = {name: tuple(steps) for name, steps in found.steps.items()}
    return Reading(values, "log", tuple(problems), (place.log.name,), last)


def lines_of(path: Path) -> Iterator[str]:
    """Every line, and every state of a progress bar, in bounded memory; control characters and colours left out."""
    with open(path, "rb") as stream:
        rest, is_skipping = b"", False
        while chunk := stream.read(CHUNK):
            parts = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
            rest = parts.pop()
            if is_skipping and parts:
                parts[0], is_skipping = parts[0][-LINE:], False
            for part in parts:
                if part:
                    yield plain(part)
            if len(rest) > 2 * CHUNK:
                yield plain(rest[:LINE])
                rest, is_skipping = rest[-LINE:], True
        if rest:
            yield plain(rest)


def plain(line: bytes) -> str:
    if len(line) > 2 * LINE:
        line = line[:LINE] + b" " + line[-LINE:]
    if b"\x1b" in line:
        line = COLOUR.sub(b"", line)
    return line.decode("utf-8", "replace")


def may_hold(line: str, hints: tuple[str, ...], is_large: bool) -> bool:
    """Whether a line is worth taking apart."""
    if not is_large and ("=" in line or ":" in line or "|" in line):
        return True
    small = line.lower()
    return not hints or any(hint in small for hint in hints)


def take_pairs(line: str, found: Found) -> None:
    for pair in PAIR.finditer(line):
        name, value = pair["name"], float(pair["value"].replace(",", ""))
        found.add(name, value)
        _, _, second = name.partition(" ")
        # "Epoch val_loss 0.5": the word before a name may be no part of it
        if second and name not in found.wanted:
            found.add(second, value)


def take_own(own: re.Pattern[str], line: str, wanted: Sequence[str], found: Found) -> None:
    """A person's pattern: the group `value`, or the first one; the group `name` where there is one."""
    for hit in own.finditer(line):
        groups = hit.groupdict()
        text = groups.get("value") or (hit.group(1) if own.groups else hit.group(0))
        name = groups.get("name") or (wanted[0] if wanted else "value")
        try:
            found.add(name, float(str(text).replace(",", "").rstrip("%")))
        except ValueError:
            continue


def respelled(found: Found, wanted: Sequence[str]) -> list[str]:
    """`val loss` stands for `val_loss` where exactly that was never printed; which spelling was used is said."""
    said = []
    for name in wanted:
        if name in found.steps:
            continue
        key = SEPARATORS.sub(" ", name).lower()
        same = [other for other in found.steps if SEPARATORS.sub(" ", other).lower() == key]
        if len(same) == 1:
            found.steps[name] = found.steps[same[0]]
            said.append(f"{name} is printed as {same[0]!r}")
    return said
