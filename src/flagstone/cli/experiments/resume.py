"""`flagstone experiment resume`: continues after a stop, a crash or a reboot."""

from __future__ import annotations

import click

from flagstone.cli.amounts import COUNT, seconds_above_0
from flagstone.cli.experiments.run import work
from flagstone.cli.experiments.selection import experiment_argument, open_chosen_experiment
from flagstone.cli.location import Location
from flagstone.plans import command_of


@click.command()
@experiment_argument
@click.option("--runs", "limit", type=COUNT, help="Make at most this many runs now.")
@click.option("--seconds", type=seconds_above_0, metavar="SECONDS", help="The time limit of a run, for this call.")
@click.pass_obj
def command(
    location: Location, name: str | None, run_name: str | None, limit: int | None, seconds: float | None
) -> None:
    """Continue experiment NAME after a stop, a crash, or an end because there were no proposals.

    \b
    flagstone experiment resume lr
    flagstone experiment resume lr --runs 10
    """
    opened = open_chosen_experiment(location, name, run_name, seconds=seconds)
    opened.home.stop.unlink(missing_ok=True)
    if opened.spec.proposer == "none":  # whoever edits the working files goes on
        click.echo(f"next: {command_of(opened.home, 'step')}", err=True)
        return
    work(opened, limit, "", "resume")
