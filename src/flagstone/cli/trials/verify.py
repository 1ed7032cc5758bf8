"""`flagstone trials verify`: derives everything again from the ledger, and compares."""

from __future__ import annotations

import json

import click

from flagstone.cli.experiments.selection import experiment_argument
from flagstone.cli.jobs.pinned import trial_schemas
from flagstone.cli.location import Location
from flagstone.cli.trials.selection import chosen_trial, refuse_if_not_begun
from flagstone.errors import FlagstoneError
from flagstone.trials import trial_problems


@click.command()
@experiment_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(location: Location, name: str | None, run_name: str | None, as_json: bool) -> None:
    """Verify trial NAME: the chain of its ledger, its pre-registration and seeds, and each derived file.

    \b
    flagstone trials verify clip
    """
    plan = chosen_trial(location, name, run_name)
    trial = plan.folder
    refuse_if_not_begun(plan)
    found = trial_problems(plan, trial_schemas(plan.base))
    if as_json:
        click.echo(json.dumps({"trial": trial.name, "problems": found}, indent=1, ensure_ascii=False))
    if found:
        raise FlagstoneError(
            f"trial {trial.name} is not as it was recorded: {'; '.join(found)}",
            hint="restore these files from a copy, and cite nothing before. Reports and pictures (.md, .html, .svg) "
            "also differ if another version of Flagstone wrote them",
        )
    if not as_json:
        click.echo(f"{trial.name}: ledger, pre-registration, seeds, verdict and reports agree")
