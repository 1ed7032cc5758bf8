"""`flagstone experiment step`: evaluates the working files once."""

from __future__ import annotations

import click

from flagstone.cli.amounts import SECONDS_OR_NONE, seconds_above_0
from flagstone.cli.experiments.selection import experiment_argument, open_chosen_experiment, print_progress
from flagstone.cli.experiments.wait import say_verdict
from flagstone.cli.jobs.owner import owner_of
from flagstone.cli.location import Location
from flagstone.experiments.engine import start_step


@click.command()
@experiment_argument
@click.option("--note", default="", help="What was tried and why (default: RUN_NOTE of the entry file).")
@click.option("--seconds", type=seconds_above_0, metavar="SECONDS", help="The time limit of this run.")
@click.option(
    "--wait", "wait_s", type=SECONDS_OR_NONE, metavar="SECONDS", help="Wait at most this long for the verdict."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(
    location: Location,
    name: str | None,
    run_name: str | None,
    note: str,
    seconds: float | None,
    wait_s: float | None,
    as_json: bool,
) -> None:
    """Evaluate the working files of NAME as they are now. If that is no gain, they go back to the best.

    The run goes on in the background if this command ends before it, for whatever reason:
    `flagstone experiment wait` shows its verdict, and `flagstone experiment stop --now` ends it.

    \b
    flagstone experiment step lr
    flagstone experiment step lr --note "lr 3e-4 -> 2e-4" --json
    flagstone experiment step lr --wait 90
    """
    opened = open_chosen_experiment(location, name, run_name, seconds=seconds)
    accounts = owner_of(opened.home.base).accounts(opened.home)
    accounts.refuse_if_spent(opened.spec.harness.gpus)
    start_step(opened, accounts, note, print_progress)
    say_verdict(opened.home, opened.spec, wait_s, as_json=as_json)
