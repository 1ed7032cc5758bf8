"""`flagstone experiment tail`: shows the end of a run's log, with its exception."""

from __future__ import annotations

import click

from flagstone.cli.amounts import COUNT
from flagstone.cli.experiments.selection import experiment_argument, home_of, is_run, no_such_run
from flagstone.cli.location import Location
from flagstone.experiments.ledger import find_entry, tail_entries, tail_of
from flagstone.experiments.measuring import tail_text
from flagstone.plans import RUN_ID, run_id
from flagstone.text import printable_text


@click.command()
@experiment_argument
@click.argument("which", metavar="[RUN_ID]", required=False)
@click.option("--lines", type=COUNT, default=80, help="Show at most this many lines.")
@click.pass_obj
def command(location: Location, name: str | None, run_name: str | None, which: str | None, lines: int) -> None:
    """Show the end of the log of RUN_ID (default: the last run), always with its exception. At most 8 KB.

    \b
    flagstone experiment tail lr r0007
    flagstone experiment tail --run r0007 --lines 40
    """
    if which is None and name and RUN_ID.match(name):
        which, name = name, None
    if which is None and run_name and RUN_ID.match(run_name) and not is_run(location, run_name):
        which, run_name = run_name, None  # a run of the experiment is meant
    home = home_of(location, name, run_name)
    known = home.run_names()
    last = tail_entries(home.ledger, 1)  # a folder may be that of a run that never was
    which = which or (last[-1].run_id if last else run_id(1))
    entry = find_entry(home.ledger, which)
    if entry is None and which not in known:
        raise no_such_run(home, which)
    said = tail_of(home, entry, lines) if entry else tail_text(home.run(which).log, lines)
    if entry and not said:
        said = f"{which} has no log. {entry.status}: {entry.reason or 'no reason is recorded'}\n"
    click.echo(printable_text(said), nl=False)
