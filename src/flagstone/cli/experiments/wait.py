"""`flagstone experiment wait`: waits for the verdict of a step."""

from __future__ import annotations

import json
import sys

import click

from flagstone.cli.amounts import SECONDS_OR_NONE
from flagstone.cli.experiments.selection import experiment_argument, home_of
from flagstone.cli.jobs.owner import spec_at
from flagstone.cli.location import Location
from flagstone.errors import Interrupted, WorkFailed
from flagstone.experiments.engine import wait_for_step
from flagstone.experiments.ledger import find_entry, result_record
from flagstone.experiments.reporting import answer_text, position_of
from flagstone.plans import Home, Spec, command_of
from flagstone.text import printable_text


@click.command()
@experiment_argument
@click.option("--wait", "wait_s", type=SECONDS_OR_NONE, metavar="SECONDS", help="Wait at most this long.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def command(location: Location, name: str | None, run_name: str | None, wait_s: float | None, as_json: bool) -> None:
    """Wait for the verdict of the last step of NAME, and end as that step would have ended.

    If it still runs after the SECONDS of --wait, this prints {"status": "running"} with its run, and ends with 0.

    \b
    flagstone experiment wait lr
    flagstone experiment wait lr --wait 90 --json
    """
    home = home_of(location, name, run_name)
    spec = spec_at(home)
    say_verdict(home, spec, wait_s, as_json=as_json)


def say_verdict(home: Home, spec: Spec, wait_s: float | None, *, as_json: bool) -> None:
    """Waits for the last step and prints what came of it, or that it still runs."""
    wait, stop = command_of(home, "wait"), command_of(home, "stop")
    try:
        step, is_running = wait_for_step(home, wait_s, show)
    except KeyboardInterrupt:
        goes_on = "the run goes on in the background"
        raise Interrupted(goes_on, hint=f"wait for it: {wait}; end it: {stop} --now") from None
    if is_running:
        click.echo(json.dumps({"status": "running", "run": step.run}))
        click.echo(f"next: {wait}", err=True)
        return
    entry = find_entry(home.ledger, step.run)
    if entry and as_json:
        click.echo(json.dumps(result_record(entry, spec), indent=1, ensure_ascii=False))
    step.raise_error()
    if entry and not as_json:
        click.echo(printable_text(answer_text(home, position_of(home, spec), entry)), nl=False)
    if entry is None:
        raise WorkFailed(
            f"{step.run} was killed before it had a verdict; your edit is as you left it",
            hint=f"evaluate it again: {command_of(home, 'step')}",
        )


def show(words: str) -> None:
    sys.stderr.write(words)
    sys.stderr.flush()
