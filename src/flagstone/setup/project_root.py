"""The root of a project: the nearest folder upwards that a project begins with."""

from __future__ import annotations

import tomllib
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.setup.project_tree import ProjectTree

MARKS = (
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "requirements*.txt",
    "environment.y*ml",
    "pixi.toml",
    "Pipfile",
    ".git",
)


def root_of_project(start: Path, home: Path) -> Path:
    """The root of the project that a folder belongs to; the folder itself if nothing marks one."""
    here = start.resolve()
    if not here.is_dir():
        raise FlagstoneError(f"{start} is no folder", hint="name the folder of your project with --root")
    tops = (home.resolve(), Path(here.anchor))
    if here in tops:
        raise FlagstoneError(
            f"{here} holds more than one project", hint="go to the folder of your project, or name it with --root"
        )
    for folder in (here, *here.parents):
        if folder in tops:
            break
        if any(next(folder.glob(mark), None) for mark in MARKS):
            return folder
    return here


def member_of_workspace(tree: ProjectTree, entry: str) -> str:
    """The member that holds the entry, if the root is a uv workspace or holds several packages. '' if it is none."""
    folders = tree.package_folders
    if len(folders) < 2 and not is_uv_workspace(tree):
        return ""
    return max((each for each in folders if entry.startswith(f"{each}/")), key=len, default="")


def is_uv_workspace(tree: ProjectTree) -> bool:
    try:
        return "workspace" in tomllib.loads(tree.text("pyproject.toml"))["tool"]["uv"]
    except (tomllib.TOMLDecodeError, KeyError, TypeError):
        return False
