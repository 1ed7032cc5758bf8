"""`flagstone trials run`: makes the runs of a trial until there is a verdict."""

from __future__ import annotations

import json
import os
import signal

import click

from flagstone.cli.amounts import COUNT
from flagstone.cli.experiments.check import ROWS_BEFORE_A_RUN
from flagstone.cli.experiments.selection import experiment_argument
from flagstone.cli.jobs.lone_trial import run_alone
from flagstone.cli.location import Location
from flagstone.cli.trials.checking import check_trial, refuse_if_refuted
from flagstone.cli.trials.plan import forecast_for
from flagstone.cli.trials.selection import chosen_trial, runnable_spec, spec_of_trial
from flagstone.cli.trials.status import status_record, status_text
from flagstone.errors import FlagstoneError
from flagstone.text import printable_text


@click.command()
@experiment_argument
@click.option("--cores", type=COUNT, help="How many runs may go on at a time (default: one a core).")
@click.option("--no-check", "skips_check", is_flag=True, help="Begin although the check of the control fails.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(
    location: Location, name: str | None, run_name: str | None, cores: int | None, skips_check: bool, as_json: bool
) -> None:
    """Run trial NAME until there is a verdict. After Ctrl-C, the same command continues; no run is made twice.

    \b
    flagstone trials run clip
    flagstone trials run clip --cores 4
    """
    plan = chosen_trial(location, name, run_name)
    is_new = not plan.folder.ledger.exists()
    spec = runnable_spec(plan) if is_new else spec_of_trial(plan)
    if is_new:
        if not skips_check:
            refuse_if_refuted(plan, check_trial(plan, spec, rows=ROWS_BEFORE_A_RUN), "run")
        found = forecast_for(plan, spec)
        if found.problem and spec.underpowered != "accept":
            raise FlagstoneError(found.problem, hint=found.hint)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run_alone(plan.folder, cores or os.cpu_count() or 1)
    record = status_record(plan, spec)
    click.echo(json.dumps(record, indent=1, ensure_ascii=False) if as_json else printable_text(status_text(record)))
