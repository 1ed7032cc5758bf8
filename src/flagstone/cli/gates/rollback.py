"""`flagstone rollback`: takes back the approval of a stage and of all that rest on it."""

from __future__ import annotations

import click

from flagstone.cli.location import Location, refresh_after_decision, run_option
from flagstone.gates import requests


@click.command()
@click.argument("stage", metavar="NN")
@click.option("--why", default="", help="The reason to record in the ledger.")
@run_option
@click.pass_obj
def command(location: Location, stage: str, why: str, run_name: str | None) -> None:
    """Take back the approval of stage NN and of all that rest on it. Nothing is deleted, and you can undo it.

    \b
    flagstone rollback 03
    flagstone rollback 03 --why "the metric was wrong"
    """
    opened = location.open_run(run_name)
    chosen = opened.table.find(stage)
    revoked = requests.rollback(opened, chosen, why)
    refresh_after_decision(opened)
    if not revoked:
        click.echo(f"neither stage {chosen.nr} {chosen.name} nor one that depends on it was approved; nothing changed")
        return
    click.echo("took back the approval of " + ", ".join(f"{each.nr} {each.name}" for each in revoked))
    where = f"--run {opened.run.name}"
    click.echo(f'next: flagstone refine {chosen.nr} "…" {where}, or flagstone redo {chosen.nr} {where}')
    again = " ".join(each.nr for each in revoked)
    click.echo(f"      or undo it: flagstone approve {again} {where}")
