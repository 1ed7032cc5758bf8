"""`flagstone experiment step`: evaluates the working files once."""

from __future__ import annotations

import json

import click

from flagstone.cli.experiments.amounts import seconds_above_0
from flagstone.cli.experiments.selection import experiment_argument, open_chosen_experiment, print_progress
from flagstone.cli.jobs.owner import owner_of
from flagstone.cli.location import Location
from flagstone.errors import FlagstoneError
from flagstone.experiments.engine import engine_of, run_step
from flagstone.experiments.ledger import result_record
from flagstone.plans import command_of


@click.command()
@experiment_argument
@click.option("--note", default="", help="What was tried and why (default: RUN_NOTE of the entry file).")
@click.option("--seconds", type=seconds_above_0, metavar="SECONDS", help="The time limit of this run.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(
    location: Location, name: str | None, run_name: str | None, note: str, seconds: float | None, as_json: bool
) -> None:
    """Evaluate the working files of NAME as they are now. If that is no gain, they go back to the best.

    \b
    flagstone experiment step lr
    flagstone experiment step lr --note "lr 3e-4 -> 2e-4" --json
    """
    opened = open_chosen_experiment(location, name, run_name, seconds=seconds)
    accounts = owner_of(opened.home.base).accounts(opened.home)
    accounts.refuse_if_spent(opened.spec.harness.gpus)
    with engine_of(opened, None, print_progress, accounts) as engine:
        ended = engine.ended_by()
        if ended:
            raise FlagstoneError(
                f"experiment {opened.home.name} has ended: {ended}",
                hint=f"raise `stopping` in its experiment.yaml, or run: {command_of(opened.home, 'resume')}",
            )
        entry = run_step(engine, note)
        if as_json:
            click.echo(json.dumps(result_record(entry, opened.spec), indent=1, ensure_ascii=False))
        engine.halt_on(entry)
