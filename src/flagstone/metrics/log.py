"""Metrics in what a run printed: `k=v`, `k: v`, `| k | v |`, dicts and progress bars; the last value wins."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.metrics.own_pattern import matches_of
from flagstone.metrics.pairs import NamedNumber, pairs_in, plain_name
from flagstone.metrics.scanning import NEAR, lines_from, mentions_before, open_plain
from flagstone.metrics.series import STEPS, Place, Reading

EVERYTHING_BYTES = 1_000_000  # at the end of a log every pair is taken; before it only wanted names are looked for
NAMES = 2000


@dataclass
class LastValues:
    """The last values of each name, in order. Loose ones (`val loss 2.3`) count only if a name has no others."""

    wanted: frozenset[str]
    clear: dict[str, list[float]] = field(default_factory=dict)
    loose: dict[str, list[float]] = field(default_factory=dict)

    def take(self, pairs: Iterable[NamedNumber]) -> None:
        for pair in pairs:
            # words between a name and a number may mean anything; that it is not finite may not be missed
            found = self.loose if pair.loose and math.isfinite(pair.value) else self.clear
            known = found.get(pair.name)
            if known is None:
                if len(found) >= NAMES and pair.name not in self.wanted:
                    continue
                known = found[pair.name] = []
            known.append(pair.value)
            del known[:-STEPS]

    def put_before(self, earlier: LastValues) -> None:
        """Adds what stood earlier in the log."""
        for ours, theirs in ((self.clear, earlier.clear), (self.loose, earlier.loose)):
            for name, values in theirs.items():
                ours[name] = [*values, *ours.get(name, [])][-STEPS:]

    @property
    def steps(self) -> dict[str, list[float]]:
        return {**self.loose, **self.clear}


def read(options: Mapping[str, object], place: Place, wanted: Sequence[str]) -> Reading:
    """What the log says, with a person's own pattern where the options hold one."""
    problems: list[str] = []
    steps: dict[str, list[float]] = {}
    try:
        if pattern := options.get("regex"):
            steps, said = matches_of(str(pattern), place.log, wanted)
        else:
            steps, said = read_log(place.log, frozenset(wanted))
        problems += said
    except OSError as error:
        return Reading({}, "log", (f"{place.log.name} cannot be read: {error.strerror}",))
    problems += accept_spellings(steps, wanted)
    values = {name: each[-1] for name, each in steps.items()}
    return Reading(values, "log", tuple(problems), (place.log.name,), {name: tuple(steps[name]) for name in steps})


def read_log(path: Path, wanted: frozenset[str]) -> tuple[dict[str, list[float]], list[str]]:
    """The last values of every name at the end of a log, and of the wanted ones anywhere in it."""
    with open_plain(path) as handle:
        start = max(0, path.stat().st_size - EVERYTHING_BYTES)
        found = LastValues(wanted)
        for line in lines_from(handle, start):
            found.take(pairs_in(line, wanted))
        missing = {name for name in wanted if name not in found.clear}
        keys = {plain_name(name) for name in missing}
        # a line right at the start may be incomplete
        for lines in mentions_before(handle, start + NEAR if start else 0, missing):
            earlier = LastValues(wanted)
            for line in lines:
                earlier.take(pair for pair in pairs_in(line, wanted) if plain_name(pair.name) in keys)
            found.put_before(earlier)
            missing -= set(found.clear)
    is_cut = start > 0 and not wanted
    return found.steps, [f"only the end of {path.name} was looked at: it is long, and no name was asked for"] * is_cut


def accept_spellings(steps: dict[str, list[float]], wanted: Sequence[str]) -> list[str]:
    """`val loss` stands for `val_loss` where exactly that was never printed; which spelling was used is said."""
    said, seen = [], list(steps)
    for name in wanted:
        same = [other for other in seen if plain_name(other) == plain_name(name)]
        if name in same or not same:
            continue
        if len(same) > 1:
            said.append(f"{name} is printed in several spellings ({', '.join(sorted(same))}): none of them is taken")
            continue
        steps[name] = steps[same[0]]
        said.append(f"{name} is printed as {same[0]!r}")
    return said


def faults(options: Mapping[str, object]) -> list[str]:
    """What is wrong with a person's own pattern."""
    pattern = str(options.get("regex") or "")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return [f"the pattern {pattern!r} cannot be used: {error}"]
    return []
