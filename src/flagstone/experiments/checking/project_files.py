"""What a run did to the project around it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

MOST_FILES = 200_000
NOT_WATCHED = frozenset((".git", ".flagstone", "__pycache__", ".venv", "venv", "node_modules"))

Marks = Mapping[str, tuple[int, int, int]]


def marks_of_project(root: Path, home: Path) -> Marks:
    """Inode, size and time of every file of a project, by its path."""
    found = {}
    for path, status in files_of(root, home):
        found[path] = (status.st_ino, status.st_size, status.st_mtime_ns)
        if len(found) >= MOST_FILES:
            break
    return found


def files_of(root: Path, home: Path) -> Iterator[tuple[str, os.stat_result]]:
    for place, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_WATCHED and Path(place, name) != home]
        for name in names:
            path = os.path.join(place, name)
            try:
                yield os.path.relpath(path, root), os.lstat(path)
            except OSError:
                continue


def changed_files(before: Marks, after: Marks) -> list[str]:
    return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
