"""`flagstone experiment chain`: starts the next experiment from this one's best."""

from __future__ import annotations

import click

from flagstone.cli.experiments.selection import experiment_argument, open_chosen_experiment, refuse_invalid_name
from flagstone.cli.jobs.owner import schemas_of
from flagstone.cli.location import Location
from flagstone.experiments.engine import NextExperiment, begin_child
from flagstone.experiments.ledger import History
from flagstone.experiments.reporting import report_of
from flagstone.plans import command_of


@click.command()
@experiment_argument
@click.argument("child")
@click.option("--rationale", required=True, help="Why you start it. Recorded word for word.")
@click.option("--goal", default="", help="What the child should achieve.")
@click.option("--metric", default="", help="Improve another metric.")
@click.option("--direction", default="", type=click.Choice(["", "min", "max"]), help="Whether less or more is better.")
@click.option("--scope", multiple=True, help="Advice on what to change, in words (repeatable).")
@click.option("--max-runs", type=int, help="Stop after this many runs.")
@click.option("--plateau", type=int, help="Stop after this many runs without a gain.")
@click.option("--wall-h", type=float, help="Stop after this many hours of runs.")
@click.option("--gpu-h", type=float, help="Stop after this many GPU hours.")
@click.option("--cost-usd", type=float, help="Stop after this many US dollars of agent calls.")
@click.pass_obj
def command(
    location: Location,
    /,
    name: str | None,
    run_name: str | None,
    child: str,
    rationale: str,
    goal: str,
    metric: str,
    direction: str,
    scope: tuple[str, ...],
    **budget: float | None,
) -> None:
    """Start experiment CHILD from the best source and weights of NAME. Command and constraints stay the same.

    \b
    flagstone experiment chain lr lr-warmup --rationale "the learning rate moved it most; warm-up is untried"
    """
    refuse_invalid_name(child)
    parent = open_chosen_experiment(location, name, run_name)
    best = History.read(parent.home).progress.best
    limits = {key: limit for key, limit in budget.items() if limit is not None}
    wanted = NextExperiment(child, rationale, goal, metric, direction, scope, limits or None)
    opened = begin_child(parent, best, report_of(parent), wanted, schemas_of(parent.home.base))
    click.echo(f"created {opened.home.spec}")
    click.echo(f"why: {opened.home.decision}")
    click.echo(f"next: {command_of(opened.home, 'drive' if parent.home.drive.exists() else 'run')}")
