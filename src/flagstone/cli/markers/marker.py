"""`flagstone marker`: improves one number of any git repository."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from flagstone.cli.location import Location
from flagstone.cli.markers.group import GIVEN, GroupOptions, MarkerGroup

VERBS = {
    "init": "look at a repository, and propose a marker",
    "add": "remember a repository, so that its markers are known anywhere",
    "detach": "forget a repository",
    "run": "propose, measure, keep or discard, until the session ends",
    "status": "show every marker, or one in full",
    "results": "show every run of a marker",
    "confidence": "show why the best is believed",
    "ideas": "show what failed and why; add or drop an idea",
    "finalize": "make a clean branch of what was kept",
    "pause": "let a marker rest, or make it active again",
    "skip": "leave a marker out, or take it in again",
    "schedule": "run a marker at night, at weekends or at set times",
    "serve": "run what is scheduled, in the foreground",
    "log": "show what a session printed",
}
SERVING = ("add", "detach", "schedule", "serve")
LOOKING = ("status", "results", "confidence", "ideas", "log")
FOLDERS = dict.fromkeys(VERBS, "markers.") | dict.fromkeys(SERVING, "markers.serving.")
FOLDERS |= dict.fromkeys(LOOKING, "markers.looking.")


@click.group(cls=MarkerGroup, helps=VERBS, folders=FOLDERS, invoke_without_command=True)
@click.option("--repo", type=click.Path(path_type=Path), help="The repository (default: the one around this folder).")
@click.option("-m", "--marker", metavar="NAME", help="Which marker.")
@click.pass_context
def command(ctx: click.Context, repo: Path | None, marker: str | None) -> None:
    """Make a number of any git repository better: its coverage, its run time, its warnings.

    Alone on a terminal, it shows every marker of this and of the known repositories, to run or watch. With --json in
    any position, the answer is one JSON document on stdout.

    \b
    flagstone marker
    flagstone marker init
    flagstone marker run coverage
    """
    ctx.meta[GIVEN] = GroupOptions(repo, marker)
    if ctx.invoked_subcommand is not None:
        return
    if ctx.meta.get("json"):
        raise click.UsageError("--json needs a command, such as: flagstone marker status --all --json", ctx)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        click.echo(ctx.get_help())
        return
    from flagstone.cli.markers.looking.screen import show_screen

    location: Location = ctx.obj
    show_screen(location.here / repo if repo else location.here)
