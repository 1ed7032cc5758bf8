"""`flagstone rollback`: take back the approval of a stage and all that rests on it."""

from __future__ import annotations

import click

from flagstone.cli.where import Standing, run_option, stage_named
from flagstone.drafting import write_handoffs
from flagstone.gates import memory, requests
from flagstone.status import write_manifest


@click.command()
@click.argument("stage", metavar="NN")
@click.option("--why", default="", help="Words that go into the ledger.")
@run_option
@click.pass_obj
def command(standing: Standing, stage: str, why: str, run_name: str | None) -> None:
    """Revoke stage NN and everything that rests on it. Nothing is deleted; approving again restores it.

    \b
    flagstone rollback 03
    flagstone rollback 03 --why "the metric was wrong"
    """
    opened = standing.opened(run_name)
    chosen = stage_named(opened, stage)
    revoked = requests.rollback(opened, chosen, why)
    memory.write(opened)
    write_handoffs(opened)
    write_manifest(opened)
    if not revoked:
        click.echo(f"stage {chosen.nr} {chosen.name} and what rests on it had no approval; nothing changed")
        return
    click.echo("took back the approval of " + ", ".join(f"{each.nr} {each.name}" for each in revoked))
    where = f"--run {opened.run.name}"
    click.echo(f'next: flagstone refine {chosen.nr} "…" {where}, or flagstone redo {chosen.nr} {where}')
    again = " ".join(each.nr for each in revoked)
    click.echo(f"      or undo it: flagstone approve {again} {where}")
