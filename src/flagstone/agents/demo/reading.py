"""What the demo agent takes from a prompt: the feedback, the approved memory, the venue; no more."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

MATERIAL = re.compile(r"^(~{8,}) material: (.*)\n((?:.*\n)*?)\1$", re.MULTILINE)
STAGE_HEADING = re.compile(r"^# Stage (\d\d): (.+)$", re.MULTILINE)
VENUE_ROW = re.compile(r"^\| venue \| (.+?) \(`([a-z0-9_]+)`\)", re.MULTILINE)
VENUE_LINE = re.compile(r"^venue:\s*[\"']?([a-z0-9_]+)", re.MULTILINE)
SEEDS_WISH = re.compile(r"\bseeds:\s*(\d{1,3})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Approved:
    """An approved summary of an earlier stage."""

    nr: str
    title: str
    text: str


def material_of(prompt: str, name: str) -> str:
    """The text of the last block of this name; empty if there is none."""
    found = [block[3] for block in MATERIAL.finditer(prompt) if block[2].strip() == name]
    return found[-1].strip("\n") if found else ""


def feedback_of(prompt: str) -> str:
    return material_of(prompt, "feedback")


def approved_before(prompt: str, run_root: Path, stage: str) -> list[Approved]:
    """The approved summaries of the stages before this one, from the prompt or from memory.md."""
    text = material_of(prompt, "approved memory")
    if not text:
        try:
            text = (run_root / "memory.md").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
    starts = list(STAGE_HEADING.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    found = [
        Approved(start[1], start[2].strip(), text[start.end() : end]) for start, end in zip(starts, ends, strict=False)
    ]
    return [summary for summary in found if summary.nr < stage]


def memory_digest(approved: list[Approved]) -> str:
    return hashlib.sha256("\0".join(f"{each.nr}{each.text.strip()}" for each in approved).encode()).hexdigest()


def venue_of(prompt: str, run_root: Path) -> tuple[str, str]:
    """The key and the name of the venue; if only the key is known, it is the name as well."""
    row = VENUE_ROW.search(prompt)
    if row:
        return row[2], row[1].strip()
    try:
        line = VENUE_LINE.search((run_root / "run.yaml").read_text(encoding="utf-8", errors="replace"))
    except OSError:
        line = None
    return (line[1], line[1]) if line else ("neurips_2025", "NeurIPS 2025")


def wished_seeds(feedback: str) -> int | None:
    """The one request that the script can carry out: `seeds: 14`, within what its exact test allows."""
    found = SEEDS_WISH.findall(feedback)
    return min(16, max(6, int(found[-1]))) if found else None


def first_result(text: str) -> str:
    """The first point or sentence under Key Results of a summary, as one line."""
    _, _, after = text.partition("\n## Key Results\n")
    point: list[str] = []
    for line in after.strip().splitlines():
        if not line.strip() or line.startswith(("#", "|", "~", "```")) or (point and line.startswith(("- ", "* "))):
            break
        point.append(line.strip().removeprefix("- ").removeprefix("* "))
    return " ".join(point)
