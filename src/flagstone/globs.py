"""Whether a path is one of those that globs name: `*.py`, `src/**/*.py`, `conf/**`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

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
