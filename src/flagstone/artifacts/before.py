"""What was in the workspace when a stage's turn began, and what is new since."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from flagstone.artifacts.formats import DIGEST_LIMIT_BYTES, Unreadable, list_files, regular_file
from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.records import DigestCache
from flagstone.text import escaped_text

FILES_LIMIT = 100_000
FileMark = tuple[int, int, int, int]
Reason = Literal["start", "redo", "refine", "revise"]


@dataclass(frozen=True)
class TurnFacts:
    """The workspace as it was before the agent's turn, which the agent cannot have written."""

    before: Mapping[str, str]
    written_since: Mapping[str, FileMark]
    own: frozenset[str] = frozenset()
    reason: Reason = "start"
    protected: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def old_digests(self) -> frozenset[str]:
        return frozenset(self.before.values())


def snapshot(run: Run, cache: DigestCache) -> tuple[dict[str, str], dict[str, FileMark]]:
    """Digest and stat mark of every plain file of the workspace, hidden ones too."""
    listing = list_files(run.root, "workspace", limit=FILES_LIMIT, hidden=True)
    if listing.left_out:
        raise FlagstoneError(
            f"the workspace of run {run.name} contains more than {FILES_LIMIT} files",
            hint=f"pack or remove what is not needed below {run.workspace}, then run the same command again",
        )
    digests: dict[str, str] = {}
    marks: dict[str, FileMark] = {}
    for path in listing.paths:
        try:
            real, status = regular_file(run.root / path, run.root)
            if status.st_size <= DIGEST_LIMIT_BYTES:
                digests[escaped_text(path, 4096)] = cache.digest(Path(real))
                marks[escaped_text(path, 4096)] = mark_of(status)
        except (Unreadable, OSError):
            continue  # pipes, devices, broken and leaving links: they satisfy nothing either way
    return digests, marks


def mark_of(status: os.stat_result) -> FileMark:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def is_fresh(run: Run, turn: TurnFacts, path: str, digest: str) -> bool:
    """Whether content is new. A stage's own file also counts if a refinement kept it, or a redo wrote it again."""
    if not digest:
        return False
    if digest not in turn.old_digests:
        return True
    if path not in turn.own:
        return False
    return turn.reason == "refine" or (turn.reason in ("redo", "revise") and was_written(run, turn, path))


def was_written(run: Run, turn: TurnFacts, path: str) -> bool:
    try:
        _, status = regular_file(run.root / path, run.root)
    except Unreadable:
        return False
    return turn.written_since.get(path) != mark_of(status)
