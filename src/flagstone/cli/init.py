"""`flagstone init`: makes a folder for runs."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from flagstone.setup import create_project


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Make DIR a folder for runs that go through eight stages, with a person's approval after each.

    It gets copies of Flagstone's Snakefile, rules, prompts, schemas and settings, which you may change. Experiments,
    trials and markers need no such folder: they work in any project.

    \b
    flagstone init research
    cd research && flagstone new attn --goal "Does rotary position embedding help?"
    """
    create_project(folder)
    click.echo(f"created {folder / 'Snakefile'}, with config, profiles, prompts, schemas and workflow beside it")
    click.echo(f'next: cd {shlex.quote(str(folder))} && flagstone new NAME --goal "…"')
