"""memory.md: the brief and the approved bytes of every approved summary, rebuilt from the gates alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flagstone.gates import Verdict, read_text
from flagstone.layout import Run
from flagstone.records import content_of, write_atomic


def write_memory(run: Run, verdicts: Mapping[str, Verdict]) -> None:
    """Rewrites memory.md, unless it says the same already."""
    approved = [each.stage for each in verdicts.values() if each.is_in_force]
    summaries = [with_newline(read_text(run.summary(stage.key))) for stage in approved] or ["None yet.\n"]
    brief = with_newline(read_text(run.brief))
    text = "\n".join(["# Memory of this run\n", "## Brief\n", brief, "## Approved stages\n", *summaries])
    rewrite(run.memory, text)


def with_newline(words: str) -> str:
    return words if words.endswith("\n") else words + "\n"


def rewrite(path: Path, text: str) -> None:
    """Writes a file that can be made again at any time, unless it says the same already."""
    content = text.encode()
    if content_of(path) != content:
        write_atomic(path, content, durable=False)
