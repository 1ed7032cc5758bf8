"""`flagstone run`: runs Snakemake until a person has to decide."""

from __future__ import annotations

import math
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import click

from flagstone.cli.jobs.loading import load_stage
from flagstone.cli.location import Location, run_argument
from flagstone.errors import FlagstoneError, Interrupted, WorkFailed
from flagstone.gates import Resident, RunConfig, judge_gates, marks_of, open_run, outcome_text, read_moment
from flagstone.processes import start_warm_server

if TYPE_CHECKING:
    from flagstone.cli.jobs.resident import Evaluation

LOOK_EVERY_S = 0.025
SOON_AGAIN = 20  # if so many passes in a row end with work left, something is wrong


@click.command()
@run_argument
@click.option("--watch", is_flag=True, help="Keep watching, and continue as soon as a flag or feedback appears.")
@click.option("--to", "upto", metavar="NN", help="Stop after this stage.")
@click.option(
    "--yes", is_flag=True, help="Approve every stage that passes its checks. Its seal records that no person did."
)
@click.option("--cores", type=click.IntRange(1), default=None, help="How many cores to use (default: all).")
@click.pass_obj
def command(location: Location, name: str | None, watch: bool, upto: str | None, yes: bool, cores: int | None) -> None:
    """Run the stages of RUN until a person has to decide.

    \b
    flagstone run attn
    flagstone run attn --watch
    """
    opened = location.open_run(name)
    upto_nr = opened.table.find(upto).nr if upto else ""
    server = start_warm_server(partial(load_stage, opened))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run_passes(location, opened, Resident(location.here, "yes" if yes else "", upto_nr), cores, watch)
    except KeyboardInterrupt:
        if not watch:
            raise
        raise Interrupted("stopped watching", hint=f"watch again: flagstone run {opened.run.name} --watch") from None
    finally:
        server.stop()


def run_passes(location: Location, opened: RunConfig, asked: Resident, cores: int | None, watch: bool) -> None:
    """Makes one pass after another until a person has to decide; with `watch`, until somebody stops it."""
    from flagstone.cli.jobs import resident

    count = cores or os.cpu_count() or 1
    passes = 0
    while True:
        found = resident.evaluate(location.project, opened.run, asked, count)
        passes += 1
        if found.is_due and passes < SOON_AGAIN:
            continue  # feedback came while a stage ran
        if found.failure and not watch:
            raise failure_error(found.failure, location.messages(opened.run).with_paths)
        for line in found.words:
            click.echo(line, err=True)
        if found.is_done:
            click.echo(location.messages(opened.run).with_paths(outcome_text(opened.run)), nl=False)
        if found.is_done or not watch:
            return
        now = marks_of(opened)
        if has_moved(location, opened, found) and passes < SOON_AGAIN:
            continue
        passes = 0
        wait_for_change(opened, now, float(str(found.failure.get("until_s", math.inf))))


def failure_error(failure: dict[str, object], with_paths: Callable[[str], str]) -> FlagstoneError:
    """Returns the error that ends this command when a stage has failed."""
    error = WorkFailed(with_paths(str(failure.get("problem"))), hint=with_paths(str(failure.get("hint"))))
    error.exit_code = int(str(failure.get("exit_code", 3)))
    return error


def has_moved(location: Location, opened: RunConfig, found: Evaluation) -> bool:
    """Whether a person decided something after a pass last judged the gates."""
    reread = open_run(location.project, opened.run, validate=False)
    if reread.run.aborted.exists() or found.failure or not found.words:
        return False
    closed = next((verdict for verdict in judge_gates(read_moment(reread)).values() if not verdict.is_open), None)
    return closed is None or location.messages(reread.run).of_gate(closed) != found.words[-1]


def wait_for_change(opened: RunConfig, now: list[object], until_s: float) -> None:
    """Sleeps until one of the files that a person decides with has changed, or until the end of a pause."""
    click.echo("watching for flags and feedback (Ctrl-C stops watching; the run keeps its state)", err=True)
    while marks_of(opened) == now and time.time() < until_s:
        time.sleep(LOOK_EVERY_S)
