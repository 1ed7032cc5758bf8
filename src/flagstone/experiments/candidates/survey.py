"""What a run can read of the project, as it was when the experiment began, and what changed in the middle."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.experiments.candidates.sources import printable_path
from flagstone.records import digest_file, read_record, write_record

MOST_FILES, MOST_TOLD = 20_000, 50
LARGEST, MOST_HASHED_BYTES = 50_000_000, 500_000_000
REST = 50  # one look may take a fiftieth of the time
FileFacts = list[Any]  # inode, size, mtime and ctime in nanoseconds, digest ('' of what is large)


@dataclass
class Survey:
    """The files of a project, those near its top first. A file is read again only if its size or a time changed."""

    root: Path
    record: Path
    is_watched: Callable[[str], bool]
    rows: dict[str, FileFacts] | None = None
    seen: dict[str, FileFacts] | None = None
    due_at: float = 0.0
    hashed: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Notes the project as it is now."""
        self.hashed, left = [], MOST_HASHED_BYTES
        rows: dict[str, FileFacts] = {}
        for path, status in self.files():
            is_hashed = status.st_size <= min(LARGEST, left)
            left -= status.st_size if is_hashed else 0
            rows[path] = [*marks_of(status), self.digest(path) if is_hashed else ""]
        self.save(rows)

    def changes(self) -> tuple[str, ...]:
        """In words, what changed since the last look that was noted. After a costly look the next one comes later."""
        began = time.monotonic()
        if began < self.due_at:
            return ()
        if self.rows is None:
            self.rows = read_record(self.record)
        if self.rows is None:  # an earlier version began the experiment
            self.begin()
            return ()
        found = tuple(self.differences(self.rows))
        self.due_at = began + REST * (time.monotonic() - began)
        if len(found) <= MOST_TOLD:
            return found
        return (f"{len(found)} files changed, of which {MOST_TOLD} are named", *found[:MOST_TOLD])

    def note(self) -> None:
        """Call it once what was seen is in the ledger: a kill before that loses no change."""
        if self.seen is not None and self.seen != self.rows:
            self.save(self.seen)
        self.seen = None

    def differences(self, before: dict[str, FileFacts]) -> Iterator[str]:
        self.hashed, now = [], dict[str, FileFacts]()
        told: dict[str, str] = {}
        for path, status in self.files():
            row, marks = before.get(path), marks_of(status)
            if row is not None and row[:4] == marks:
                now[path] = row
                continue
            now[path] = [*marks, self.digest(path) if status.st_size <= LARGEST else ""]
            words = change_text(row, now[path])
            if words:
                told[path] = words
        told |= dict.fromkeys(before.keys() - now.keys(), "is gone")
        self.seen = now
        yield from (f"{printable_path(path)} {told[path]}" for path in sorted(told))

    def files(self) -> Iterator[tuple[str, os.stat_result]]:
        """The plain files that are watched, folder by folder. Links are not followed."""
        level, count = [""], 0
        while level:
            below = []
            for folder in level:
                for entry in entries_of(self.root / folder):
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if not self.is_watched(path):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        below.append(path)
                    elif entry.is_file(follow_symlinks=False):
                        count += 1
                        if count > MOST_FILES:
                            return
                        with suppress(OSError):  # removed while we looked
                            yield path, entry.stat(follow_symlinks=False)
            level = below

    def digest(self, path: str) -> str:
        self.hashed.append(path)
        try:
            return digest_file(self.root / path)
        except OSError:
            return "not readable"

    def save(self, rows: dict[str, FileFacts]) -> None:
        self.rows = rows
        write_record(self.record, rows, durable=False)


def entries_of(folder: Path) -> list[os.DirEntry[str]]:
    """In the order of their names, so that a bound always leaves out the same ones."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []


def marks_of(status: os.stat_result) -> list[int]:
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def change_text(before: FileFacts | None, now: FileFacts) -> str:
    """What happened to a file. Returns '' if its content is what it was."""
    if before is None:
        return "is new"
    if before[4] and before[4] == now[4]:
        return ""
    if before[4]:
        return f"changed (sha256 {before[4][:12]}, now {now[4][:12]})"
    if before[1:3] == now[1:3]:
        return ""  # large, and only renamed, linked or given another mode
    return f"changed ({before[1]} bytes, now {now[1]})" if before[1] != now[1] else "was written to"
