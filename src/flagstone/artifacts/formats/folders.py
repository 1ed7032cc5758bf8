"""Lists the files below a folder of the run, in order and within a limit."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flagstone.artifacts.formats.reading import is_inside

COUNT_LIMIT = 200_000  # beyond this many entries even counting stops
GENERATED = frozenset({"__pycache__", ".git", ".venv", "venv", "node_modules", ".mypy_cache", ".ruff_cache"})


@dataclass(frozen=True)
class Listing:
    """Run-relative paths in order, and how many more there are."""

    paths: tuple[str, ...]
    left_out: int


def list_files(run_root: Path, folder: str, *, limit: int, hidden: bool = False) -> Listing:
    """Everything below the folder that is not a folder itself: links and pipes too, but none is followed."""
    found: list[str] = []
    left_out = 0
    for path in walk(run_root, folder, hidden):
        if len(found) < limit:
            found.append(path)
        else:
            left_out += 1
            if left_out >= COUNT_LIMIT:
                break
    return Listing(tuple(sorted(found)), left_out)


def walk(run_root: Path, folder: str, hidden: bool) -> Iterator[str]:
    """Depth first, each folder in the order of its names, so that a bound always keeps the same files."""
    root = os.path.realpath(run_root)
    top = os.path.join(root, folder)
    if not os.path.lexists(top):
        return
    if not is_inside(os.path.realpath(top), root):
        yield folder
        return
    waiting = [(folder, True)]
    while waiting:
        path, is_folder = waiting.pop()
        names = folder_entries(os.path.join(root, path), hidden) if is_folder else None
        if names is None:
            yield path
        else:
            waiting.extend((f"{path}/{name}", below) for name, below in reversed(names))


def folder_entries(folder: str, hidden: bool) -> list[tuple[str, bool]] | None:
    """Returns each name and whether it is a real folder; None if the folder cannot be opened."""
    try:
        with os.scandir(folder) as entries:
            wanted = (each for each in entries if each.name not in GENERATED and (hidden or each.name[0] != "."))
            return heapq.nsmallest(COUNT_LIMIT, ((each.name, each.is_dir(follow_symlinks=False)) for each in wanted))
    except OSError:
        return None
