"""One Python environment: its interpreter, its version, and what is broken about it, from its files alone."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.setup.environments.installed import InstalledPackages, installed_packages, read_small


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


def environment_at(
    folder: Path, origin: str, root: Path, own: Path, python: Path | None = None
) -> PythonEnvironment | None:
    """The environment in a folder. Returns None if there is no sign of one; a broken one is returned with its fault."""
    if folder.is_symlink() and not folder.is_dir():
        fault = f"{path_text(folder, root)} is a link to nothing ({os.readlink(folder)})"
        return PythonEnvironment(path_text(folder / "bin/python", root), folder, origin, fault=fault)
    settings = venv_settings(folder)
    python = python or interpreter_in(folder)
    if not folder.is_dir() or (not os.path.lexists(python) and not settings):
        return None
    return PythonEnvironment(
        path_text(python, root),
        folder,
        origin,
        version_of(folder, python, settings),
        installed_packages(folder, shared_folders(settings)),
        fault_of(python, settings, root),
        is_same(folder, own),
    )


def interpreter_in(folder: Path) -> Path:
    """An environment has `python`; where a system has that, it may be another one than `python3`."""
    names = (
        ("python", "python3") if (folder / "pyvenv.cfg").exists() or (folder / "conda-meta").exists() else ("python3",)
    )
    return next((path for name in names if os.path.lexists(path := folder / "bin" / name)), folder / "bin" / names[0])


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


def shared_folders(settings: dict[str, str]) -> list[Path]:
    """Where else an environment sees packages: those of the Python that it was made from, if it says so."""
    sees_them = settings.get("include-system-site-packages") == "true" and "home" in settings
    return [Path(settings["home"]).parent] if sees_them else []


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


def version_of(folder: Path, python: Path, settings: dict[str, str]) -> str:
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
    named = re.fullmatch(r"python(3\.\d+)", os.path.basename(os.path.realpath(python)))
    names = [f"python{named[1]}"] if named else sorted(path.name for path in folder.glob("lib/python3.*"))
    return names[0].removeprefix("python") if names else ""
