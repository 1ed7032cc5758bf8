"""What a run could not write to, and the setting that lets it."""

from __future__ import annotations

import os
import re
from itertools import islice
from pathlib import Path

LAST_BYTES = 1_000_000
WORDS = "(?:Permission denied|Read-only file system)"
# as Python says it, with the path last, and as other programs do, with the path first. A path begins where a word does:
# tried from within each word, a log of one long line would take hours
AFTER = re.compile(WORDS + r": b?'([^'\n]+)'")
BEFORE = re.compile(r"(?<![^\s:'\"‘’])([^\s:'\"‘’]++)['\"’]?: " + WORDS)
MOST_FOLDERS = 1000
PROGRAMS = (".py", ".sh", ".c", ".cc", ".cpp", ".h", ".rs", ".go", ".jl", ".R", ".ipynb")


def denials_in(log: Path, root: Path) -> list[tuple[str, str]]:
    """The paths that a run could not write to, found near the end of its log. Empty if the log cannot be read."""
    try:
        with open(log, "rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - LAST_BYTES))
            return denied_paths(stream.read().decode("utf-8", "replace"), root)
    except OSError:
        return []


def denied_paths(log: str, root: Path) -> list[tuple[str, str]]:
    """Each path that a run could not write to, with the setting that makes it work."""
    found = [each[1] for pattern in (AFTER, BEFORE) for each in pattern.finditer(log)]
    in_project = (re.sub(r"^.*/trees/[^/]+/", "", path) for path in found)
    return [(path, setting_for(path, root)) for path in dict.fromkeys(in_project)]


def has_program(folder: Path) -> bool:
    """Whether a folder contains programs: a run that got an empty one would not find them."""
    return any(name.endswith(PROGRAMS) for _, _, names in islice(os.walk(folder), MOST_FOLDERS) for name in names)


def setting_for(path: str, root: Path) -> str:
    """The setting that lets a run write to a path."""
    real = os.path.realpath(root / path)
    inside = f"{os.path.realpath(root)}{os.sep}"
    if real.startswith(inside):
        parts = real.removeprefix(inside).split(os.sep)
        above = ["/".join(parts[:count]) for count in range(1, len(parts))]
        name = next((each for each in above if not has_program(root / each)), "/".join(parts))
        return f"set subject.scratch: [{name}], or give new --scratch {name}"
    return f"set harness.writable: [{os.path.dirname(path)}], or let the command write below {{run_dir}}"
