"""What `flagstone status` worked out before, kept in the user's cache folder and never in a run.

A status is shown again as long as every file it rests on has the same marks. Losing the cache costs time only.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.layout import Project
from flagstone.records import digest_bytes, digest_value, encode, read_as, write_atomic
from flagstone.status.manifest import commit
from flagstone.status.overview import RunOverview


@dataclass(frozen=True)
class RememberedStatus:
    """The status of one run, the files it rests on (most of them relative to it), and one digest of their marks."""

    root: str
    status: RunOverview
    paths: tuple[str, ...]
    marks: str


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flagstone"


def rows_file(project: Project, here: Path) -> Path:
    word = digest_value([str(project.root), str(here), commit()])[:16]
    return cache_folder() / f"status-{word}.json"


def read_rows(path: Path) -> Mapping[str, RememberedStatus]:
    """The rows of an earlier call, by run. Empty if there are none that can be read."""
    return read_as(path, dict[str, RememberedStatus]) or {}


def write_rows(path: Path, rows: Mapping[str, RememberedStatus]) -> None:
    write_privately(path, encode(rows))


def is_current(row: RememberedStatus) -> bool:
    return digest_bytes(marks_of(row.root, row.paths).tobytes()) == row.marks


def marks_of(root: str, paths: tuple[str, ...]) -> array[int]:
    """Inode, size and both times of each file; empty if the folder is gone."""
    marks = array("q")
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return marks
    look, note = os.stat, marks.extend
    for path in paths:
        try:
            stat = look(path, dir_fd=folder)
            note((stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
        except OSError:
            note((-1, -1, -1, -1))
    os.close(folder)
    return marks


def write_privately(path: Path, content: bytes) -> None:
    """Best effort: a folder that cannot be written costs the next call time."""
    with suppress(FlagstoneError):
        write_atomic(path, content, mode=0o600, durable=False)
