"""`flagstone paper cite waive`: a person lets a work pass that is not verified."""

from __future__ import annotations

import os

import click

from flagstone.cli.location import Location, need_terminal, run_option
from flagstone.cli.paper.citing.output import print_rows
from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.gates import command_decision
from flagstone.paper.citations import SOURCES, CitationStatus, read_requests, references_of, waive
from flagstone.processes import is_started_by_us

ONLY_PEOPLE = "only a person can waive a citation"


@click.command()
@click.argument("key")
@click.option("--why", required=True, help="Why the work may be cited all the same. It is printed in the appendix.")
@run_option
@click.pass_obj
def command(location: Location, key: str, why: str, run_name: str | None) -> None:
    """Let the work KEY be cited although it is not verified. The paper says so, with your reason.

    The decision is sealed like an approval. It holds for the request as it stands now; if that changes, decide again.

    \b
    flagstone paper cite waive fisher1935design --why "a book of 1935, on my shelf"
    """
    if is_started_by_us(os.environ):
        raise FlagstoneError(ONLY_PEOPLE, hint="ask for it in your summary, and cite another work until then")
    need_terminal("give the command in a terminal of your own", ONLY_PEOPLE)
    if not why.strip():
        raise FlagstoneError("a waiver needs a reason", hint='say why: --why "…"')
    opened = location.open_run(run_name)
    request = read_requests(opened.run).by_key.get(key)
    if request is None:
        raise FlagstoneError(f"{SOURCES} has no request {key!r}", hint="see those it has: flagstone paper cite check")
    (row,) = references_of(opened.run, [key], opened.settings).rows
    print_rows([row])
    if row.status is CitationStatus.VERIFIED or row.waived:
        click.echo("nothing to waive")
        return
    if click.prompt(f"Type the key to let it pass ({key})", default="", show_default=False) != key:
        raise FlagstoneError("nothing was waived: that is not the key", hint="give the command again, and type the key")
    try:
        waive(opened.run, request, row.status, command_decision(why.strip()))
    except WorkFailed as error:
        raise FlagstoneError(
            f"{ONLY_PEOPLE}: {error.problem}", hint="give the command in a terminal of your own"
        ) from error
    click.echo(f"waived {key} of run {opened.run.name}: the paper says so in its appendix")
