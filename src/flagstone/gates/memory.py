"""memory.md: the brief and every approved summary's approved bytes, rebuilt from the seals alone."""

from __future__ import annotations

import time
from pathlib import Path

from flagstone.gates.judge import judge_gates
from flagstone.gates.opened import OpenedRun
from flagstone.records import write_atomic
from flagstone.stages import Stage


def approved_summaries(opened: OpenedRun, before: str | None = None) -> list[tuple[Stage, str]]:
    """Stage and text of every summary whose gate is open (only those a given stage rests on, if one is named)."""
    wanted = {up.nr for up in opened.table.ancestors(before)} if before else None
    found = []
    for verdict, holder in judge_gates(opened, time.time_ns()):
        stage = verdict.stage
        if verdict.is_open and holder is None and (wanted is None or stage.nr in wanted):
            found.append((stage, read_text(opened.run.summary(stage.key))))
    return found


def text(opened: OpenedRun) -> str:
    """The whole memory: what is approved now, and nothing else."""
    brief = ended(read_text(opened.run.brief))
    summaries = [ended(summary) for _, summary in approved_summaries(opened)] or ["None yet.\n"]
    return "\n".join(["# Memory of this run\n", "## Brief\n", brief, "## Approved stages\n", *summaries])


def ended(words: str) -> str:
    return words if words.endswith("\n") else words + "\n"


def write(opened: OpenedRun) -> None:
    """Rewrites memory.md, unless it says the same already."""
    content = text(opened).encode()
    if read_bytes(opened.run.memory) != content:
        write_atomic(opened.run.memory, content, durable=False)


def read_text(path: Path) -> str:
    return read_bytes(path).decode("utf-8", errors="replace")


def read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
