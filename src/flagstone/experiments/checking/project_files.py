"""What a run did to the project around it, and what it was denied."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

MOST_FILES = 200_000
NOT_WATCHED = frozenset((".git", ".flagstone", "__pycache__", ".venv", "venv", "node_modules"))
WORDS = "(?:Permission denied|Read-only file system)"
# as Python says it, with the path last, and as other programs do, with the path first
AFTER, BEFORE = re.compile(WORDS + r": b?'([^'\n]+)'"), re.compile(r"([^\s:'\"‘’]+)['\"’]?: " + WORDS)

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


def denied_paths(log: str, root: Path) -> list[tuple[str, str]]:
    """Each path that a run could not write to, with the setting that makes it work."""
    found = [each[1] for pattern in (AFTER, BEFORE) for each in pattern.finditer(log)]
    in_project = (re.sub(r"^.*/check/trees/[^/]+/", "", path) for path in found)
    return [(path, setting_for(path, root)) for path in dict.fromkeys(in_project)]


def setting_for(path: str, root: Path) -> str:
    """The setting that lets a run write to a path."""
    real = os.path.realpath(root / path)
    inside = f"{os.path.realpath(root)}{os.sep}"
    if real.startswith(inside):
        parts = real.removeprefix(inside).split(os.sep)
        name = parts[0] if len(parts) > 1 or os.path.isdir(real) else real.removeprefix(inside)
        return f"set subject.scratch: [{name}], or give new --scratch {name}"
    return f"set harness.writable: [{os.path.dirname(path)}], or let the command write below {{run_dir}}"
