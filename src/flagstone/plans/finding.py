"""Finds an experiment by its name: in the run around a folder, or in the project around it."""

from __future__ import annotations

import os
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.layout import RUN_NAME
from flagstone.plans.folder import Home

FOLDER = ".flagstone"


def experiments_around(here: Path) -> tuple[Path, Path]:
    """The folder of experiments, and the run or project that they belong to."""
    for above in (here, *here.parents):
        if is_run_folder(above):
            return above / "experiments", above
    found = next((above for above in (here, *here.parents) if (above / FOLDER / "experiments").is_dir()), here)
    return found / FOLDER / "experiments", found


def is_run_folder(folder: Path) -> bool:
    return (folder / "run.yaml").is_file() and (folder / "approved").is_dir()


def experiment_names(folder: Path) -> list[str]:
    try:
        names = sorted(filter(RUN_NAME.match, os.listdir(folder)))
    except OSError:
        return []
    return [name for name in names if (folder / name / "experiment.yaml").is_file()]


def experiment_named(folder: Path, base: Path, name: str | None) -> Home:
    """The experiment of this name, or the only one. Raises an error that lists all if that is not clear."""
    names = experiment_names(folder)
    if name is None:
        if len(names) != 1:
            problem = "there are several experiments" if names else f"there is no experiment in {folder}"
            raise FlagstoneError(problem, hint=choices(names))
        name = names[0]
    if name not in names:
        raise FlagstoneError(f"there is no experiment {name!r} in {folder}", hint=choices(names))
    return Home(folder / name, base)


def choices(names: list[str]) -> str:
    """The hint for an experiment that was not found or not named."""
    return f"name one of: {', '.join(names)}" if names else "set one up: flagstone experiment new NAME -- COMMAND …"
