"""One Python environment: its interpreter, its version, and what is broken about it, from its files alone."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.setup.environments.installed import InstalledPackages, installed_packages, read_small

VERSION = re.compile(r"^version(?:_info)?\s*=\s*(\d+\.\d+(?:\.\d+)?)", re.MULTILINE)


@dataclass(frozen=True)
class PythonEnvironment:
    """`python` is the interpreter as it is written into a command; `origin` says where it was found.

    `fault` says in one line why it cannot be used. It is '' if nothing is known to be wrong.
    """

    python: str
    folder: Path
    origin: str
    version: str = ""
    packages: InstalledPackages = field(default_factory=InstalledPackages, repr=False)
    fault: str = ""
    is_own: bool = False  # the one that Flagstone itself runs in


def environment_at(folder: Path, origin: str, root: Path, own: Path) -> PythonEnvironment | None:
    """The environment in a folder. Returns None if there is no sign of one; a broken one is returned with its fault."""
    if not folder.is_dir():
        broken = folder.is_symlink()
        fault = f"{path_text(folder, root)} is a link to nothing ({os.readlink(folder)})" if broken else ""
        return (
            PythonEnvironment(path_text(folder / "bin/python", root), folder, origin, fault=fault) if broken else None
        )
    settings = venv_settings(folder)
    python = next((path for name in ("python", "python3") if os.path.lexists(path := folder / "bin" / name)), None)
    if python is None and not settings:
        return None
    python = python or folder / "bin" / "python"
    others = [Path(settings["home"]).parent] if sees_system(settings) else []
    return PythonEnvironment(
        path_text(python, root),
        folder,
        origin,
        version_of(folder, settings),
        installed_packages(folder, others),
        fault_of(python, settings, root),
        is_same(folder, own),
    )


def path_text(path: Path, root: Path) -> str:
    """A path as a command has it: relative if it lies in the project, else absolute. Links are not followed."""
    whole = Path(os.path.abspath(path))
    return str(whole.relative_to(root)) if whole.is_relative_to(root) else str(whole)


def is_same(folder: Path, own: Path) -> bool:
    try:
        return folder.resolve() == own.resolve()
    except (OSError, RuntimeError):
        return False


def venv_settings(folder: Path) -> dict[str, str]:
    """The lines of pyvenv.cfg. Empty if there is none."""
    try:
        text = read_small(folder / "pyvenv.cfg")
    except (OSError, ValueError):
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def sees_system(settings: dict[str, str]) -> bool:
    return settings.get("include-system-site-packages") == "true" and "home" in settings


def fault_of(python: Path, settings: dict[str, str], root: Path) -> str:
    """What is wrong with an interpreter, in one line."""
    home = settings.get("home")
    if not python.is_file():
        where = f" (it links to {os.readlink(python)})" if python.is_symlink() else ""
        return f"{path_text(python, root)} is not there{where}"
    if not os.access(python, os.X_OK):
        return f"{path_text(python, root)} may not be started"
    if home and not any((Path(home) / name).exists() for name in ("python3", "python", python.name)):
        return f"the Python that it was made from is gone: {home}"
    return ""


def version_of(folder: Path, settings: dict[str, str]) -> str:
    """The version of its Python, such as 3.11.7 or 3.11. Returns '' if no file says so."""
    told = settings.get("version_info") or settings.get("version") or ""
    found = re.match(r"\d+\.\d+(?:\.\d+)?", told)
    if found:
        return found[0]
    for path in sorted((folder / "conda-meta").glob("python-3*.json")):
        try:
            return str(json.loads(read_small(path))["version"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
    names = sorted(path.name for path in folder.glob("lib/python3.*"))
    return names[0].removeprefix("python") if names else ""
