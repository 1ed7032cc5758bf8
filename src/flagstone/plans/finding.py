"""Finds an experiment or a trial by its name: in the run around a folder, or in the project around it."""

from __future__ import annotations

import os
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.layout import RUN_NAME, Run
from flagstone.plans.folder import Home
from flagstone.plans.trial_plan import TrialPlan, trial_plan_at, trial_plans

FOLDER = ".flagstone"


def experiments_around(here: Path) -> tuple[Path, Path]:
    """The folder of experiments, and the run or project that they belong to."""
    return folder_around(here, "experiments")


def trials_around(here: Path) -> tuple[Path, Path]:
    """The folder of trials, and the run or project that they belong to."""
    return folder_around(here, "trials")


def folder_around(here: Path, kind: str) -> tuple[Path, Path]:
    for above in (here, *here.parents):
        if is_run_folder(above):
            return above / kind, above
    found = next((above for above in (here, *here.parents) if (above / FOLDER / kind).is_dir()), here)
    return found / FOLDER / kind, found


def is_run_folder(folder: Path) -> bool:
    return (folder / "run.yaml").is_file() and (folder / "approved").is_dir()


def experiment_names(folder: Path) -> list[str]:
    return names_in(folder, "experiment.yaml")


def names_in(folder: Path, spec: str) -> list[str]:
    """The folders within one that have a spec of this name."""
    try:
        names = sorted(filter(RUN_NAME.match, os.listdir(folder)))
    except OSError:
        return []
    return [name for name in names if (folder / name / spec).is_file()]


def experiment_named(folder: Path, base: Path, name: str | None) -> Home:
    """The experiment of this name, or the only one. Raises an error that lists all if that is not clear."""
    names = experiment_names(folder)
    return Home(folder / chosen_name(names, name, "experiment", folder), base)


def trial_named(folder: Path, base: Path, name: str | None) -> TrialPlan:
    """The trial of this name, or the only one. Raises an error that lists all if that is not clear."""
    planned = [plan.name for plan in trial_plans(Run(base))] if is_run_folder(base) else []
    names = sorted({*planned, *names_in(folder, "trial.yaml")})
    return trial_plan_at(folder / chosen_name(names, name, "trial", folder))


def chosen_name(names: list[str], name: str | None, kind: str, folder: Path) -> str:
    group = "trials" if kind == "trial" else kind
    start = f"set one up: flagstone {group} new NAME -- COMMAND …"
    hint = f"name one of: {', '.join(names)}" if names else start
    if name is None and len(names) == 1:
        return names[0]
    if name is None:
        problem = f"there are several {kind}s" if names else f"there is no {kind} in {folder}"
        raise FlagstoneError(problem, hint=hint)
    if name not in names:
        raise FlagstoneError(f"there is no {kind} {name!r} in {folder}", hint=hint)
    return name
