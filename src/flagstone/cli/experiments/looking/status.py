"""`flagstone experiment status`: shows how far an experiment is, in ten lines at most."""

from __future__ import annotations

import json

import click

from flagstone.cli.amounts import COUNT
from flagstone.cli.experiments.selection import experiment_argument, home_of
from flagstone.cli.jobs.owner import spec_at
from flagstone.cli.location import Location
from flagstone.experiments.ledger import result_record, tail_entries
from flagstone.experiments.reporting import last_text, position_of, status_record, status_text
from flagstone.text import printable_text


@click.command()
@experiment_argument
@click.option("--compact", is_flag=True, help="At most ten lines and 1 KB (the default).")
@click.option("--last", "count", type=COUNT, help="Show this many of the last runs, one line each.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(
    location: Location, name: str | None, run_name: str | None, compact: bool, count: int | None, as_json: bool
) -> None:
    """Show how far experiment NAME is, and its best so far.

    \b
    flagstone experiment status lr
    flagstone experiment status lr --last 5
    """
    home = home_of(location, name, run_name)
    spec = spec_at(home)
    if count:
        entries = tail_entries(home.ledger, count)
        text = json.dumps([result_record(each, spec) for each in entries], indent=1, ensure_ascii=False)
        click.echo(text if as_json else printable_text(last_text(entries)), nl=as_json)
        return
    position = position_of(home, spec)
    if as_json:
        click.echo(json.dumps({**status_record(position), "working_files": str(home.working)}, indent=1))
        return
    click.echo(printable_text(status_text(position)), nl=False)
