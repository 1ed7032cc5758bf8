"""`flagstone experiment run`: the loop, until a condition ends it."""

from __future__ import annotations

import sys
from typing import Literal

import click

from flagstone.cli.experiments.place import experiment_argument, home_of, live, opened_experiment, prompt_folder
from flagstone.cli.standing import Standing
from flagstone.errors import FlagstoneError
from flagstone.loop.engine import Engine, engine_of
from flagstone.loop.fresh import begin_anew
from flagstone.loop.opening import Opened
from flagstone.loop.proposers.registry import proposer_for

Start = Literal["continue", "best", "fresh"]


@click.command()
@experiment_argument
@click.option("--runs", "limit", type=int, help="At most so many runs now.")
@click.option("--seconds", type=float, help="Seconds a run may take, this time.")
@click.option("--agent", "driver", default="", help="Which agent proposes, this time.")
@click.option("--continue", "start", flag_value="continue", help="Evaluate an edit of the working files first.")
@click.option("--back-to-best", "start", flag_value="best", help="Put the working files back to the best first.")
@click.option("--fresh", "start", flag_value="fresh", help="Begin anew; everything so far goes to its history.")
@click.pass_obj
def command(
    standing: Standing,
    name: str | None,
    run_name: str | None,
    limit: int | None,
    seconds: float | None,
    driver: str,
    start: Start | None,
) -> None:
    """Run experiment NAME until a condition fires. Ctrl-C ends the run under way and keeps what is there.

    \b
    flagstone experiment run lr
    flagstone experiment run lr --runs 20 --seconds 600
    """
    if start == "fresh":
        begin_anew(home_of(standing, name, run_name))
    opened = opened_experiment(standing, name, run_name, seconds=seconds)
    work(opened, limit, driver, start)


def work(opened: Opened, limit: int | None, driver: str, start: Start | None) -> None:
    proposer = proposer_for(opened.spec, prompt_folder(), driver) if opened.spec.proposer != "none" else None
    with engine_of(opened, proposer, live) as engine:
        begin(engine, start)
        ended = engine.run(limit)
    say_end(opened, engine, ended)


def begin(engine: Engine, start: Start | None) -> None:
    """What is done about an edit that stands in the working files."""
    now = engine.history.progress.best
    if engine.is_unedited or now is None:
        return
    if start is None and sys.stdin.isatty() and sys.stdout.isatty():
        words = "the working files were edited: evaluate that first, or go back to the best?"
        start = click.prompt(words, type=click.Choice(["continue", "best"]))
    if start == "continue":
        engine.halt_on(engine.step(""))
    elif start == "best":
        engine.working.restore(now.tree)
    else:
        raise FlagstoneError(
            "the working files are not those of the best, and there is no terminal to ask on",
            hint="give --continue to evaluate them first, or --back-to-best (they are kept aside)",
        )


def say_end(opened: Opened, engine: Engine, ended: str) -> None:
    """The last lines: why it ended, the best, and the one next command."""
    progress, metric = engine.history.progress, opened.spec.metric
    best = f"best {metric.name} {progress.best_value:.6g} ({progress.best_run})" if progress.best else "no best"
    name = opened.home.name
    click.echo(f"{name}: {progress.number} runs, {best}" + (f", ended by {ended}" if ended else ""))
    verb = "resume" if opened.home.stop.exists() else "report" if ended else "run"
    click.echo(f"next: flagstone experiment {verb} {name}")
