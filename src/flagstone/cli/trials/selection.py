"""Finds the trial that a command is about: one of a run, or one of the project around."""

from __future__ import annotations

from pathlib import Path

from flagstone.cli.jobs.pinned import trial_schemas
from flagstone.cli.location import Location
from flagstone.errors import FlagstoneError
from flagstone.plans import TrialPlan, TrialSpec, is_run_folder, missing_data, trial_named, trials_around
from flagstone.text import list_text
from flagstone.trials.planning import load_trial


def chosen_trial(location: Location, name: str | None, run_name: str | None) -> TrialPlan:
    """The trial that a person means. Raises an error that lists all trials if that is not clear."""
    return trial_named(*trials_folder(location, run_name), name)


def trials_folder(location: Location, run_name: str | None) -> tuple[Path, Path]:
    """The folder of trials, and the run or project that they belong to."""
    if run_name is None:
        return trials_around(location.here)
    run = location.run(run_name)
    return run.root / "trials", run.root


def spec_of_trial(plan: TrialPlan) -> TrialSpec:
    """What the trial is set to: as it began, or as it is planned."""
    path = plan.folder.spec if plan.folder.spec.is_file() else plan.path
    return load_trial(path, plan.base, trial_schemas(plan.base))


def runnable_spec(plan: TrialPlan) -> TrialSpec:
    """The same. Raises an error if `data` names files that are not there: a result would hold for any data."""
    spec = spec_of_trial(plan)
    if found := [*missing_data(spec, plan.text)]:
        raise FlagstoneError(
            f"{plan.path}: {list_text(found)}", hint=f"correct `data` in {plan.path}, or put the files there"
        )
    return spec


def refuse_if_not_begun(plan: TrialPlan) -> None:
    if not plan.folder.ledger.is_file():
        raise FlagstoneError(f"nothing of trial {plan.name} has run yet", hint=trial_command(plan, "run"))


def trial_command(plan: TrialPlan, verb: str) -> str:
    """One verb for this trial. A trial that a stage of a run has planned is run by the run."""
    if verb == "run" and plan.is_approved_by_stage:
        return f"flagstone run {plan.base.name}"
    of_run = f" --run {plan.base.name}" if is_run_folder(plan.base) else ""
    return f"flagstone trials {verb} {plan.name}{of_run}"
