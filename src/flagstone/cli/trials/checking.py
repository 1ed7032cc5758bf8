"""Proves before a trial runs that its command uses the files in which the arms may differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import yaml

from flagstone.cli.experiments.check import check, record_of
from flagstone.cli.jobs.owner import schemas_of
from flagstone.cli.trials.selection import trial_command
from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.checking import CheckRequest, ExperimentCheck, is_to_be_checked
from flagstone.experiments.engine import open_experiment
from flagstone.plans import Home, TrialPlan, TrialSpec
from flagstone.records import write_atomic
from flagstone.text import one_line

SHOWN = ("command", "reach", "number", "seed", "quiet")
ADVICE = (": leave the noise test on", ", so 2 baseline runs are enough")  # which holds for experiments only
UNUSED_PARTS = {"noise": "off", "proposer": "none", "stopping": {"max_runs": 1}}


def check_trial(plan: TrialPlan, spec: TrialSpec, rows: int) -> ExperimentCheck | None:
    """Runs the control once, as the one run of an experiment. Returns None if a check holds or a run was made."""
    home = Home(plan.folder.root / "check", plan.base)
    value: Mapping[str, Any] = {**spec.experiment.merged, **UNUSED_PARTS}
    home.root.mkdir(parents=True, exist_ok=True)
    write_atomic(home.spec, yaml.safe_dump(value, sort_keys=False, allow_unicode=True).encode())
    opened = open_experiment(home, schemas_of(plan.base))
    if plan.folder.ledger.exists() or not is_to_be_checked(home, opened.spec):
        return None
    return check(opened, CheckRequest(rows=rows))


def refuse_if_refuted(plan: TrialPlan, found: ExperimentCheck | None, again: str) -> None:
    """Raises an error for the first row that was refuted."""
    row = found.first_failure if found else None
    if found is None or row is None:
        return
    cure = f"{row.cure.replace('experiment.yaml', str(plan.path))}; then: {trial_command(plan, again)}"
    if found.is_crashed:
        raise WorkFailed(f"the control does not run: {row.evidence}\n{found.tail}", hint=cure)
    raise FlagstoneError(f"{row.name}: {row.evidence}", hint=cure)


def print_rows(plan: TrialPlan, found: ExperimentCheck | None) -> None:
    """Prints where the plan is, and what the check found of what concerns a trial, one line a row."""
    click.echo(f"created {plan.path}")
    if found is None:
        return
    for row in found.rows:
        if row.name in SHOWN:
            evidence = row.evidence.removesuffix(ADVICE[0]).removesuffix(ADVICE[1])
            click.echo(f"{row.mark} {row.name:<8} {one_line(evidence, 400)}")
    if found.proposal.get("noise") == {"baseline_repeats": 2}:
        click.echo("note: no verdict can come of runs that ignore their seed: give {seed} to the command, or read SEED")


def rows_in(found: ExperimentCheck | None) -> object:
    return record_of(found) if found else None
