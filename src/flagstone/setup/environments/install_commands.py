"""The command with which a project itself installs what it needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagstone.setup.environments.project_settings import (
    CONDA_FILES,
    is_poetry,
    setting,
    workspace_roots,
)

EXTRAS = re.compile(r"^(cpu|gpu|cuda|cu\d+|rocm|torch-(cpu|gpu|cu\d+))$")
Commands = tuple[tuple[str, ...], ...]


def install_commands(root: Path, settings: Mapping[str, Any], has_gpu: bool = False) -> Commands:
    """The project's own commands, by its lock file or pyproject.toml. Empty if it says nothing."""
    if (root / "uv.lock").exists() or setting(settings, "tool", "uv") is not None or workspace_roots(root):
        return (("uv", "sync", *extra_words(settings, has_gpu)),)
    if is_poetry(root, settings):
        return (("poetry", "install"),)
    if (root / "pdm.lock").exists():
        return (("pdm", "install"),)
    if (root / "pixi.toml").exists() or setting(settings, "tool", "pixi") is not None:
        return (("pixi", "install"),)
    if file := next((name for name in CONDA_FILES if (root / name).exists()), ""):
        return (("conda", "env", "update", "-f", file),)
    if (root / "Pipfile").exists():
        return (("pipenv", "sync"),)
    return pip_commands(root)


def pip_commands(root: Path) -> Commands:
    """A new environment and what goes into it; nothing is made anew where one is."""
    files = sorted(path.name for path in root.glob("requirements*.txt"))
    wanted = ("-r", min(files, key=len)) if files else ("-e", ".") if is_package(root) else ()
    if not wanted:
        return ()
    existing = next((name for name in (".venv", "venv", "env") if (root / name / "pyvenv.cfg").exists()), "")
    make = () if existing else (("python3", "-m", "venv", ".venv"),)
    return (*make, (f"{existing or '.venv'}/bin/pip", "install", *wanted))


def is_package(root: Path) -> bool:
    return any((root / name).exists() for name in ("pyproject.toml", "setup.py", "setup.cfg"))


def extra_words(settings: Mapping[str, Any], has_gpu: bool) -> tuple[str, ...]:
    """The extra for this machine, if the extras stand for kinds of machines."""
    extras = setting(settings, "project", "optional-dependencies") or {}
    machines = sorted(name for name in extras if EXTRAS.match(name)) if isinstance(extras, dict) else []
    fitting = [name for name in machines if (name.endswith("cpu")) != has_gpu]
    return ("--extra", (fitting or machines)[0]) if machines else ()
