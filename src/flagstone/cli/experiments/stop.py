"""`flagstone experiment stop`: asks a running experiment to end."""

from __future__ import annotations

import os
import signal

import click

from flagstone.cli.experiments.selection import experiment_argument, home_of
from flagstone.cli.location import Location
from flagstone.locks import holder_of
from flagstone.plans import command_of
from flagstone.records import keep


@click.command()
@experiment_argument
@click.option("--now", is_flag=True, help="End the current run too. It is recorded as interrupted.")
@click.pass_obj
def command(location: Location, name: str | None, run_name: str | None, now: bool) -> None:
    """End experiment NAME after the current run. `flagstone experiment resume` continues it.

    \b
    flagstone experiment stop lr
    flagstone experiment stop lr --now
    """
    home = home_of(location, name, run_name)
    keep(home.stop, b"")
    holder = holder_of(home.lock)
    pid = holder.get("pid") if holder and holder.get("host") == os.uname().nodename else None
    if now and isinstance(pid, int):
        os.kill(pid, signal.SIGINT)
    when = "now" if now else "after the current run"
    click.echo(f"{home.name} ends {when}" if holder else f"{home.name} is not running, and starts no run until resumed")
    click.echo(f"next: {command_of(home, 'resume')}")
