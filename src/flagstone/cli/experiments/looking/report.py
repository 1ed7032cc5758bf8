"""`flagstone experiment report`: shows what was tried and what each edit gained, on one page."""

from __future__ import annotations

from pathlib import Path

import click

from flagstone.cli.experiments.selection import experiment_argument, open_chosen_experiment
from flagstone.cli.location import Location
from flagstone.experiments.reporting import report_of
from flagstone.text import printable_text


@click.command()
@experiment_argument
@click.option("--picture", type=click.Path(path_type=Path), help="Also draw every run, as SVG, into this file.")
@click.pass_obj
def command(location: Location, name: str | None, run_name: str | None, picture: Path | None) -> None:
    """Report on experiment NAME: the best and how it came about, and what each edit gained. At most 8 KB.

    \b
    flagstone experiment report lr
    flagstone experiment report lr --picture lr.svg
    """
    opened = open_chosen_experiment(location, name, run_name)
    click.echo(printable_text(report_of(opened)), nl=False)
    if picture:
        from flagstone.experiments.reporting import draw

        draw(opened.home, opened.spec, picture)
        click.echo(f"drew {picture}", err=True)
