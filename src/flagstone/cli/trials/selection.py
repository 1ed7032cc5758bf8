"""Finds the trial that a command is about: one of a run, or one of the project around."""

from __future__ import annotations

from pathlib import Path

from flagstone.cli.jobs.owner import pinned_or_ours
from flagstone.cli.location import Location
from flagstone.plans import TrialFolder, TrialSpec, trial_named, trials_around
from flagstone.trials.planning import load_trial


def trials_folder(location: Location, run_name: str | None) -> tuple[Path, Path]:
    """The folder of trials, and the run or project that they belong to."""
    if run_name is None:
        return trials_around(location.here)
    run = location.run(run_name)
    return run.root / "trials", run.root


def chosen_trial(location: Location, name: str | None, run_name: str | None) -> TrialFolder:
    """The trial that a person means. Raises an error that lists all trials if that is not clear."""
    return trial_named(*trials_folder(location, run_name), name)


def trial_schemas(base: Path) -> Path:
    """The schemas that a run pinned; this checkout's for everything else."""
    return pinned_or_ours(base, "schemas", "trial.schema.yaml")


def spec_of_trial(trial: TrialFolder) -> TrialSpec:
    return load_trial(trial.spec, trial.base, trial_schemas(trial.base))


def trial_command(trial: TrialFolder, verb: str) -> str:
    """One verb for this trial, with the run that it belongs to where there is one."""
    of_run = f" --run {trial.base.name}" if (trial.base / "run.yaml").is_file() else ""
    return f"flagstone trials {verb} {trial.name}{of_run}"
