"""`flagstone experiment resume`: goes on after a stop, a crash or a reboot."""

from __future__ import annotations

import click

from flagstone.cli.experiments.amounts import COUNT, seconds_above_0
from flagstone.cli.experiments.run import work
from flagstone.cli.experiments.which import experiment_argument, opened_experiment
from flagstone.cli.where import Standing


@click.command()
@experiment_argument
@click.option("--runs", "limit", type=COUNT, help="At most so many runs now.")
@click.option("--seconds", type=seconds_above_0, metavar="SECONDS", help="Seconds a run may take, this time.")
@click.pass_obj
def command(
    standing: Standing, name: str | None, run_name: str | None, limit: int | None, seconds: float | None
) -> None:
    """Take back a stop, put right what a crash left, and go on with experiment NAME.

    \b
    flagstone experiment resume lr
    flagstone experiment resume lr --runs 10
    """
    opened = opened_experiment(standing, name, run_name, seconds=seconds)
    opened.home.stop.unlink(missing_ok=True)
    work(opened, limit, "", "continue")
