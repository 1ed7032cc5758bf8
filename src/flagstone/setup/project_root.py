"""The root of a project: the nearest folder upwards that a project begins with."""

from __future__ import annotations

from pathlib import Path

from flagstone.errors import FlagstoneError

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
