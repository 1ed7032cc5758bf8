"""Reads the plan of a trial, and says everything that is wrong with it at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from flagstone import schemas
from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.plans import TrialSpec, granted_spec, trial_plan_problems, trial_spec_of
from flagstone.records import digest_file


def load_trial(path: Path, base: Path, schema_folder: Path, *, checked: str = "") -> TrialSpec:
    """The trial that a plan describes; `base` is the project or the run that it belongs to.

    A plan with the digest `checked` is known to be right: each run of a trial reads it, and checking takes longer than
    many a run.
    """
    if not path.is_file():
        raise FlagstoneError(f"cannot read {path}: there is no such file", hint="flagstone trials new NAME starts one")
    value = schemas.read_yaml(path)
    if digest_file(path) != checked:
        refuse_if_wrong(value, schema_folder, str(path))
    spec = trial_spec_of(path.parent.name if path.name == "trial.yaml" else path.stem, base, value)
    return replace(spec, experiment=granted_spec(spec.experiment, Run(base)))


def refuse_if_wrong(value: Any, schema_folder: Path, where: str) -> None:
    """Raises one error that lists everything that is wrong with a plan."""
    found = schemas.problems(schema_folder, "trial", value)
    found += trial_plan_problems(value) if isinstance(value, dict) else []
    if found:
        listed = "; ".join(dict.fromkeys(found[:20]))
        raise FlagstoneError(f"{where}: {listed}", hint=f"correct {where}; docs/reference/trial.md describes every key")
