"""What the files of a project say about its environment: pyproject.toml, and the tools that have files beside it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagstone.setup.environments.installed import read_small

CONDA_FILES = ("environment.yml", "environment.yaml")


def project_settings(root: Path) -> dict[str, Any]:
    """pyproject.toml. Empty if it is missing, or cannot be read."""
    try:
        return tomllib.loads(read_small(root / "pyproject.toml"))
    except (OSError, ValueError, RecursionError):
        return {}


def setting(settings: Mapping[str, Any], *keys: str) -> Any:
    """A value below several keys. Returns None if it is not there."""
    value: Any = settings
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def workspace_roots(root: Path) -> list[Path]:
    """The folders above that are the root of a uv workspace: their environment is that of the members."""
    above = list(root.parents)[:4]
    return [each for each in above if setting(project_settings(each), "tool", "uv", "workspace") is not None]


def is_poetry(root: Path, settings: Mapping[str, Any]) -> bool:
    return (root / "poetry.lock").exists() or setting(settings, "tool", "poetry") is not None
