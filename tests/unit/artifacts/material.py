"""A run on disk, a summary that keeps to the contract, and files of every format, for these tests."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from flagstone.artifacts import RuleCheck, StageCheck, TurnFacts, check_stage, snapshot
from flagstone.artifacts.rules.contract import contract_problems
from flagstone.layout import WORKSPACE_FOLDERS, Run
from flagstone.records import DigestCache

OPTIONS = """1. Use suggestion 1
2. Use suggestion 2
3. Use suggestion 3
4. Refine with your own feedback
5. Approve and continue
6. Abort"""

SECTIONS = {
    "Objective": "Settle whether warm-up helps.",
    "Previously Approved Stage Summaries": "Nothing was approved before.",
    "What I Did": "I drew the data and looked at it.",
    "Key Results": "There are 240 points in three classes.",
    "Files Produced": "- `workspace/notes/plan.md` – the plan",
    "Suggestions for Refinement": "1. Draw more points.\n2. Add noise to the labels.\n3. Use a fourth class.",
    "Your Options": OPTIONS,
}

# Written by pyarrow: two rows of the columns a and b
PARQUET = base64.b64decode(
    "UEFSMRUAFSwVLCwVBBUAFQYVBhwAAAACAAAABAEBAAAAAAAAAAIAAAAAAAAAFQAVIBUgLBUEFQAVBhUGHAAAAAIAAA"
    "AEAQEAAAB4AQAAAHkVBBk8NQAYBnNjaGVtYRUEABUEJQIYAWEAFQwlAhgBYiUATBwAAAAWBBkcGSwmABwVBBklBgAZ"
    "GAFhFQAWBBZSFlImCEkcFQAVABUCADwpBhkmAAQAAAAmABwVDBklBgAZGAFiFQAWBBZGFkYmWkkcFQAVABUCADwWBB"
    "kGGSYABAAAABaYARYEJggWmAEAKCBwYXJxdWV0LWNwcC1hcnJvdyB2ZXJzaW9uIDI2LjAuMRksHAAAHAAAALkAAABQ"
    "QVIx"
)
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><rect width="1" height="1"/></svg>'


def png(width: int = 2, height: int = 3) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def make_run(tmp_path: Path) -> Run:
    run = Run(tmp_path / "runs" / "attn")
    for room in WORKSPACE_FOLDERS:
        (run.workspace / room).mkdir(parents=True)
    (run.workspace / "notes" / "plan.md").write_text("the plan")
    (run.root / "run.yaml").write_text("agent: demo\n")
    return run


def put(run: Run, path: str, content: str | bytes | object) -> Path:
    """Writes below workspace/; what is neither text nor bytes is written as JSON."""
    target = run.workspace / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    target.write_bytes(content.encode() if isinstance(content, str) else content)
    return target


def summary(nr: str = "03", title: str = "Study Design", **changed: str) -> str:
    """A summary that keeps to the contract, with some sections' texts replaced (spaces written as _)."""
    texts = {**SECTIONS, **{name.replace("_", " "): text for name, text in changed.items()}}
    return f"# Stage {nr}: {title}\n\n" + "".join(f"## {name}\n\n{text}\n\n" for name, text in texts.items())


def rules_broken(run: Run, text: str) -> list[str]:
    return [finding.rule for finding in contract_problems(text, "03", "Study Design", run.root)]


def message(run: Run, text: str) -> str:
    return " ".join(finding.message for finding in contract_problems(text, "03", "Study Design", run.root))


def turn_of(run: Run, cache: DigestCache | None = None, **facts: object) -> TurnFacts:
    """The workspace as it is now, as the beginning of a turn."""
    before, marks = snapshot(run, cache or DigestCache(None))
    return replace(TurnFacts(before, marks), **facts)  # type: ignore[arg-type]


def ask(
    run: Run, *requires: str, turn: TurnFacts | None = None, draft: str | None = None, **more: object
) -> StageCheck:
    path = run.drafts("03") / "1" / "draft.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(summary() if draft is None else draft)
    facts = turn or TurnFacts(before={}, written_since={})
    made = StageCheck(run, "03", "Study Design", path, facts, requires, DigestCache(None))
    return replace(made, **more)  # type: ignore[arg-type]


def outcome(run: Run, *requires: str, turn: TurnFacts | None = None, **more: object) -> Mapping[str, RuleCheck]:
    return {check.rule: check for check in check_stage(ask(run, *requires, turn=turn, **more))}


def statuses(run: Run, *requires: str, turn: TurnFacts | None = None, **more: object) -> dict[str, str]:
    return {rule: check.status for rule, check in outcome(run, *requires, turn=turn, **more).items()}
