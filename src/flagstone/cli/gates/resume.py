"""`flagstone resume`: lets an aborted run continue."""

from __future__ import annotations

import click

from flagstone.cli.location import Location, refresh_after_decision, run_argument
from flagstone.gates import requests, run_command


@click.command()
@run_argument
@click.pass_obj
def command(location: Location, name: str | None) -> None:
    """Let an aborted run continue where it stopped.

    \b
    flagstone resume attn
    flagstone resume && flagstone run
    """
    opened = location.open_run(name, validate=False)
    undone = requests.resume(opened.run)
    refresh_after_decision(opened)
    click.echo(
        f"run {opened.run.name} can continue" if undone else f"run {opened.run.name} was not aborted; nothing changed"
    )
    click.echo(f"next: {run_command(opened.run)}")
