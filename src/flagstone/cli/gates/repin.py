"""`flagstone repin`: updates a run's own prompts, schemas and tables."""

from __future__ import annotations

import click

from flagstone.cli.location import Location, refresh_after_decision, run_option
from flagstone.setup import pinning


@click.command()
@click.argument("stage", metavar="[NN]", required=False)
@run_option
@click.pass_obj
def command(location: Location, stage: str | None, run_name: str | None) -> None:
    """Update what a run pinned when it was created: everything, or only the prompt of stage NN.

    \b
    flagstone repin
    flagstone repin 07 --run attn
    """
    opened = location.open_run(run_name, validate=False)
    if stage:
        changed = pinning.pin_stage(location.project, opened.run, opened.table.find(stage))
    else:
        changed = pinning.pin_all(location.project, opened.run)
    refresh_after_decision(location.open_run(opened.run.name, validate=False))
    for path in changed:
        click.echo(f"updated {path}")
    if not changed:
        click.echo("everything is up to date")
    click.echo(f"next: flagstone status {opened.run.name}")
