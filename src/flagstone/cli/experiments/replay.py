"""`flagstone experiment replay`: measures a candidate again from its stored files."""

from __future__ import annotations

import click

from flagstone.cli.experiments.selection import (
    experiment_argument,
    no_such_run,
    open_chosen_experiment,
    print_progress,
)
from flagstone.cli.jobs.owner import owner_of
from flagstone.cli.location import Location
from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.engine import engine_of
from flagstone.experiments.ledger import find_entry
from flagstone.experiments.measuring import Order
from flagstone.plans import command_of
from flagstone.records import encode


@click.command()
@experiment_argument
@click.argument("which", metavar="RUN_ID", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the measurement as JSON.")
@click.pass_obj
def command(location: Location, name: str | None, run_name: str | None, which: str | None, as_json: bool) -> None:
    """Run candidate RUN_ID of NAME again from its stored files, with the same seed, and compare the numbers.

    \b
    flagstone experiment replay lr r0007
    """
    if which is None:
        name, which = None, name or ""
    opened = open_chosen_experiment(location, name, run_name)
    before = find_entry(opened.home.ledger, which)
    if before is None:
        raise no_such_run(opened.home, which)
    if before.first is None:
        raise FlagstoneError(
            f"{which} of {opened.home.name} was never measured: {before.reason}",
            hint=f"see its edit: {command_of(opened.home, 'diff')} {which}",
        )
    accounts = owner_of(opened.home.base).accounts(opened.home)
    accounts.refuse_if_spent(opened.spec.harness.gpus)
    with engine_of(opened, None, print_progress, accounts) as engine:
        run = opened.home.run(which)
        run.root.mkdir(parents=True, exist_ok=True)
        part = f"replay-{1 + len(list(run.root.glob('measured-replay-*.json')))}"
        now = engine.harness.measure(Order(run, before.tree, part, before.first.seed))
        accounts.note_use(now.wall_s * now.gpus, now.wall_s)
    if as_json:
        click.echo(encode(now))
    if now.value is None:
        raise WorkFailed(
            f"the replay of {which} has no number: {now.status}, {now.reason}", hint=f"see {run.log_of(part)}"
        )
    was = before.first.value
    same = "the same" if was == now.value else "nothing to compare" if was is None else f"{now.value - was:+.6g}"
    before_text = "unknown" if was is None else was
    click.echo(f"{which}: {opened.spec.metric.name} was {before_text}, is {now.value} ({same})", err=as_json)
