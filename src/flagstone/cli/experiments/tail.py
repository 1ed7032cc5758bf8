"""`flagstone experiment tail`: the end of a run's log, with the exception in it."""

from __future__ import annotations

import click

from flagstone.cli.experiments.place import experiment_argument, home_of, is_run
from flagstone.cli.standing import Standing, plain
from flagstone.errors import FlagstoneError
from flagstone.loop.home import RUN_ID
from flagstone.loop.tailing import tail_text


@click.command()
@experiment_argument
@click.argument("which", metavar="[RUN_ID]", required=False)
@click.option("--lines", type=int, default=80, help="At most so many lines.")
@click.pass_obj
def command(standing: Standing, name: str | None, run_name: str | None, which: str | None, lines: int) -> None:
    """Show the end of the log of RUN_ID (default: the last run): at most 8 KB, and always the exception.

    \b
    flagstone experiment tail lr r0007
    flagstone experiment tail --run r0007 --lines 40
    """
    if which is None and name and RUN_ID.match(name):
        which, name = name, None
    if which is None and run_name and RUN_ID.match(run_name) and not is_run(standing, run_name):
        which, run_name = run_name, None  # a run of the experiment is meant
    home = home_of(standing, name, run_name)
    known = home.run_names()
    which = which or (known[-1] if known else "")
    if which not in known:
        listed = f"{known[0]} to {known[-1]}" if known else "none yet"
        raise FlagstoneError(f"there is no run {which!r} of {home.name}", hint=f"its runs: {listed}")
    click.echo(plain(tail_text(home.run(which).log, lines)), nl=False)
