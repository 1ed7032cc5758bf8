"""Which paths globs name: `*.py`, `src/**/*.py`, `conf/**`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from glob import glob as paths_of
from pathlib import Path

PART = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]|[^*?\[]+|\[")


@lru_cache(maxsize=256)
def pattern_of(glob: str) -> re.Pattern[str]:
    """A glob as a pattern: `*` stays within a folder, `**/` is any folders or none."""
    found = []
    for part in PART.findall(glob.removeprefix("./")):
        if part == "**/":
            found.append(r"(?:[^/]+/)*")
        elif part == "**":
            found.append(r".*")
        elif part in ("*", "?"):
            found.append(f"[^/]{part}" if part == "*" else "[^/]")
        elif part.startswith("[") and part.endswith("]") and len(part) > 2:
            inner = part[1:-1]
            found.append(f"[^{re.escape(inner[1:])}/]" if inner.startswith("!") else f"[{inner}]")
        else:
            found.append(re.escape(part))
    return re.compile("".join(found) + r"\Z", re.DOTALL)


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether a path, relative and with forward slashes, is named; nothing outside the folder ever is."""
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or ".git" in parts:
        return False
    return any(pattern_of(glob).match(path) for glob in globs)


def files_named(root: Path, pattern: str) -> Iterator[str]:
    """Every file that a glob names, relative to a folder or elsewhere; of a folder all files in it."""
    # a whole folder is walked by us: glob would run in circles where links do
    place = os.path.join(root, os.path.expanduser(pattern)).removesuffix("/**")
    for found in paths_of(place, recursive=True, include_hidden=True):
        yield from files_below(found)


def files_below(path: str) -> Iterator[str]:
    """A file itself, or all of a folder, through links as well: data often lies elsewhere."""
    if not os.path.isdir(path):
        yield path
    seen = set[str]()
    for place, folders, names in os.walk(path, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (os.path.join(place, name) for name in names)
