"""A person's own pattern over a log, in a child of its own: a pattern can take for ever on a single line."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from flagstone.metrics.scanning import lines_from, open_plain
from flagstone.metrics.series import STEPS
from flagstone.processes import Command, Output, ProcessLimits, run

LIMIT_S = 60.0
END_BYTES = 1_000_000  # the last value of one name is mostly there
NAMES = 2000
ANSWER_KB = 20_000
Steps = dict[str, list[float]]


def matches_of(pattern: str, log: Path, wanted: Sequence[str]) -> tuple[Steps, list[str]]:
    """The last values of each name that the pattern finds, and what was in its way."""
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return {}, [f"the pattern {pattern!r} cannot be used: {error}"]
    with open_plain(log) as handle, tempfile.TemporaryDirectory(prefix="flagstone-pattern-") as name:

        def search() -> int:
            usual = wanted[0] if wanted else "value"
            start = max(0, log.stat().st_size - END_BYTES)
            found = {} if "name" in compiled.groupindex else search_log(compiled, handle, start, usual)
            sys.stdout.write(json.dumps(found or search_log(compiled, handle, 0, usual)))
            return 0

        answer = Path(name, "answer.json")
        command = Command(None, search, Path(name), {})
        ended = run(command, ProcessLimits(wall_s=LIMIT_S, line_kb=ANSWER_KB), Output(answer, Path(name, "said.txt")))
        if ended.exit_code != 0:
            slow = f"took longer than {LIMIT_S:g} s" if ended.timed_out else f"ended with exit code {ended.exit_code}"
            return {}, [f"the pattern {pattern!r} {slow} on {log.name}"]
        steps: Steps = json.loads(answer.read_bytes())
    return steps, [] if steps else [f"the pattern {pattern!r} matches no line of {log.name}"]


def search_log(pattern: re.Pattern[str], handle: int, start: int, usual: str) -> Steps:
    found: Steps = {}
    for line in lines_from(handle, start, fixed_beginning(pattern.pattern)):
        for name, value in values_in(pattern, line, usual):
            if name in found or len(found) < NAMES:
                found.setdefault(name, []).append(value)
                del found[name][:-STEPS]
    return found


def fixed_beginning(pattern: str) -> bytes:
    """What every match begins with, as far as that is easy to see."""
    fixed = re.match(r"[\w :=-]*", pattern)
    if fixed is None or "|" in pattern:
        return b""
    goes_on = pattern[fixed.end() : fixed.end() + 1]
    # the last one may be optional or repeated
    return fixed[0][: -1 if goes_on in ("?", "*", "+", "{") else None].encode()


def values_in(pattern: re.Pattern[str], line: str, usual: str) -> Iterator[tuple[str, float]]:
    """Name and number of each match: the group `value`, or the first that is not the name, or all of it."""
    for hit in pattern.finditer(line):
        named = hit.groupdict()
        others = [group for number, group in enumerate(hit.groups(), 1) if number != pattern.groupindex.get("name")]
        text = named.get("value") or (others[0] if others else hit.group(0))
        try:
            yield named.get("name") or usual, float(str(text).strip().rstrip("%").replace(",", ""))
        except ValueError:
            continue
