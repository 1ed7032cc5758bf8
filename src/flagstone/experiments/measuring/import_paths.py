"""Where a run's Python imports from: the edited tree, before any installed copy of the project."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any


@cache  # once for all runs of an experiment
def import_roots(root: Path) -> tuple[str, ...]:
    """The folders of a project that packages are imported from, relative to it: `src`, the root, workspace members."""
    members = sorted(os.path.relpath(folder, root) for folder in workspace_members(root))
    candidates = [path for above in (".", *members) for path in (os.path.join(above, "src"), above)]
    return tuple(dict.fromkeys(os.path.normpath(path) for path in candidates if (root / path).is_dir()))


def workspace_members(root: Path) -> Iterator[Path]:
    """The folders that `[tool.uv.workspace]` in pyproject.toml names."""
    try:
        settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    value: Any = settings
    for key in ("tool", "uv", "workspace", "members"):
        value = value.get(key) if isinstance(value, dict) else None
    for glob in value if isinstance(value, list) else ():
        if isinstance(glob, str) and glob and not glob.startswith(("/", "..")):
            yield from (path for path in root.glob(glob) if path.is_dir())


def python_path(root: Path, tree: Path, asked: str, inherited: Mapping[str, str]) -> str:
    """PYTHONPATH of a run. What it was set to stays, but leads into the tree where it led into the project."""
    own = [os.path.normpath(tree / path) for path in import_roots(root)]
    first = [in_tree(path, root, tree) for path in asked.split(os.pathsep)]
    last = [in_tree(path, root, tree) for path in inherited.get("PYTHONPATH", "").split(os.pathsep)]
    return os.pathsep.join(dict.fromkeys(path for path in (*first, *own, *last) if path))


def in_tree(path: str, root: Path, tree: Path) -> str:
    """The same path in the tree, if it leads into the project."""
    if path == os.fspath(root):
        return os.fspath(tree)
    return os.fspath(tree / path[len(f"{root}/") :]) if path.startswith(f"{root}/") else path
