"""`flagstone abort`: stops a run."""

from __future__ import annotations

import click

from flagstone.cli.location import Location, refresh_after_decision, run_argument
from flagstone.gates import requests
from flagstone.locks import holder_of


@click.command()
@run_argument
@click.option("--why", default="", help="The reason. It is shown to whoever runs it next.")
@click.pass_obj
def command(location: Location, name: str | None, why: str) -> None:
    """Stop a run. Nothing starts until it is resumed.

    \b
    flagstone abort attn --why "superseded by attn-2"
    flagstone abort
    """
    opened = location.open_run(name, validate=False)
    requests.abort(opened.run, why)
    refresh_after_decision(opened)
    click.echo(f"run {opened.run.name} is aborted: nothing starts until it is resumed")
    holder = holder_of(opened.run.lock)
    if holder:
        click.echo(
            f"process {holder.get('pid')} still finishes its current call; to end it now: kill {holder.get('pid')}"
        )
    click.echo(f"next: flagstone resume {opened.run.name}")
