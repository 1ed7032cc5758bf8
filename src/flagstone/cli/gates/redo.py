"""`flagstone redo`: does a stage again, in a new conversation."""

from __future__ import annotations

import click

from flagstone.cli.location import Location, refresh_after_decision, run_option
from flagstone.gates import requests, run_command


@click.command()
@click.argument("stage", metavar="NN")
@run_option
@click.pass_obj
def command(location: Location, stage: str, run_name: str | None) -> None:
    """Do stage NN again in a new conversation. If the result is identical, every approval stays.

    \b
    flagstone redo 05
    flagstone redo experimentation --run attn
    """
    opened = location.open_run(run_name)
    chosen = opened.table.find(stage)
    requests.redo(opened, chosen)
    refresh_after_decision(opened)
    click.echo(f"stage {chosen.nr} {chosen.name} will run again, in a new conversation")
    click.echo(f"next: {run_command(opened.run)}")
