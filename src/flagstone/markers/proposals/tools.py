"""Tools whose output has a number, and the command that reads it there."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from flagstone.markers.marker import Direction, Metric

LAST_LINES = re.compile(r"\s*\|\s*tail\s+(?:-n\s*)?-?\d+\s*\Z")


@dataclass(frozen=True)
class Tool:
    """`words` is found in a command that starts it; `what` is the number. `ok_exit` and `empty` are as in a marker."""

    what: str
    words: str
    extract: str
    direction: Direction = "max"
    ok_exit: tuple[int, ...] = (0,)
    empty: float | None = None


PASSED = "grep -oE '[0-9]+ pass(ed|ing)' | tail -n 1 | grep -oE '[0-9]+'"
ANY_TESTS = Tool("tests", r"\b(pytest|jest|vitest|mocha)\b", PASSED, "max", (0, 1))
# the first that fits counts: what measures coverage starts the tests too
TOOLS = (
    Tool("coverage", r"--cov\b|\bcoverage (run|report)\b", "awk '/^TOTAL/ {print $NF}'"),
    Tool("coverage", r"\bgo tool cover\b", "awk '/^total:/ {print $NF}'"),
    Tool("coverage", r"--coverage\b|\b(nyc|c8)\b", "awk -F'|' '/^All files/ {print $2}'"),
    Tool("lint", r"\bruff check\b", r"sed -nE 's/^Found ([0-9]+) errors?.*/\1/p'", "min", (0, 1), 0),
    Tool("lint", r"\beslint\b", "grep -oE '[0-9]+ problems? ' | grep -oE '[0-9]+'", "min", (0, 1), 0),
    Tool(
        "tests", r"\bcargo test\b", "awk '/^test result:/ {n += $4; any = 1} END {if (any) print n}'", "max", (0, 101)
    ),
    Tool("tests", r"\bgo test\b", "grep -cE '^ *--- PASS'", "max", (0, 1)),
    Tool("tests", r"\bnode (\S+ )*--test\b", r"sed -nE 's/^(#|ℹ) pass ([0-9]+)$/\2/p'", "max", (0, 1)),
    ANY_TESTS,
)
TIME = Tool("seconds", "", "tail -n 1", "min")


def tool_in(command: str) -> Tool | None:
    """The tool that a command starts, if it is a known one."""
    return next((each for each in TOOLS if re.search(each.words, command)), None)


def metric_of(command: str, tool: Tool) -> Metric:
    """The metric of a tool. What counts faults is good enough without any."""
    target = 0.0 if tool.what == "lint" else None
    return Metric(command, tool.extract, tool.direction, ok_exit=tool.ok_exit, empty=tool.empty, target=target)


def timing_command(command: str) -> str:
    """A command that prints, last, how many seconds another one took."""
    return f"LC_ALL=C TIMEFORMAT=%R; {{ time {command}; }} 2>&1"


def better_metric(metric: Metric) -> Metric | None:
    """The same metric, read as the tool prints it today. Returns None if there is no other way to read it.

    The command loses a `| tail -1`: where a tool has come to print more after the number, that cuts the number off.
    """
    tool = tool_in(metric.command)
    if tool is None:
        return None
    better = replace(
        metric,
        command=LAST_LINES.sub("", metric.command),
        extract=tool.extract,
        ok_exit=tool.ok_exit,
        empty=tool.empty,
    )
    return None if better == metric else better
