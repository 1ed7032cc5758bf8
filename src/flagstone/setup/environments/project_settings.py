"""What the files of a project say about its environment: pyproject.toml, and the tools that have files beside it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.setup.environments.installed import read_small

CONDA_FILES = ("environment.yml", "environment.yaml")
LEVELS = 4  # above a member, where the root of its workspace may be


@dataclass(frozen=True)
class ProjectSettings:
    """The root of a project, and what its pyproject.toml says: nothing if it is missing, or cannot be read."""

    root: Path
    values: Mapping[str, Any]

    def value(self, *keys: str) -> Any:
        """A value below several keys. Returns None if it is not there."""
        return setting(self.values, *keys)

    def has(self, *names: str) -> bool:
        """Whether one of these files is in the root."""
        return any((self.root / name).exists() for name in names)

    @property
    def name(self) -> str:
        """What the project calls itself. Returns '' if it does not."""
        found = self.value("project", "name") or self.value("tool", "poetry", "name")
        return found if isinstance(found, str) else ""

    @property
    def is_poetry(self) -> bool:
        return self.has("poetry.lock") or self.value("tool", "poetry") is not None


def setting(settings: Mapping[str, Any], *keys: str) -> Any:
    """A value below several keys. Returns None if it is not there."""
    value: Any = settings
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def workspace_roots(root: Path) -> list[Path]:
    """The folders above that are the root of a uv workspace: their environment is that of the members."""
    return [above for above in list(root.parents)[:LEVELS] if is_workspace(above)]


def is_workspace(folder: Path) -> bool:
    try:
        settings = tomllib.loads(read_small(folder / "pyproject.toml"))
    except (OSError, ValueError, RecursionError):
        return False
    return setting(settings, "tool", "uv", "workspace") is not None
