"""`flagstone restore`: offers an earlier version of a stage again."""

from __future__ import annotations

import click

from flagstone.cli.location import Location, refresh_after_decision, run_option
from flagstone.drafting import restore_version
from flagstone.errors import FlagstoneError
from flagstone.gates import approve_stage, command_decision, content_of
from flagstone.seals import decisions


@click.command()
@click.argument("stage", metavar="NN")
@click.argument("version", metavar="VERSION")
@run_option
@click.pass_obj
def command(location: Location, stage: str, version: str, run_name: str | None) -> None:
    """Offer an earlier VERSION of stage NN again, as it is in history/NN: its summary and the files it lists.

    It waits for your approval, unless exactly this content was approved before. What is there now stays in history/NN.

    \b
    flagstone restore 02 1
    flagstone restore 02 0001-5f2c91
    """
    opened = location.open_run(run_name)
    chosen = opened.table.find(stage)
    new = restore_version(opened, chosen, version)
    click.echo(f"stage {chosen.nr} {chosen.name} offers version {version} again, as {new}")
    content = content_of(opened, chosen)
    approvals = [seal for seal in decisions(opened.run, chosen.nr) if seal.event == "approved"]
    known = next((seal for seal in reversed(approvals) if content and seal.digest == content.digest), None)
    try:
        if known:
            approve_stage(opened, chosen, command_decision(f"restored; approved before, at {known.at}"))
            click.echo(f"it was approved at {known.at[:16]} by {known.who}: its approval is in force again")
    except FlagstoneError as error:
        click.echo(f"note: {error.problem}", err=True)
    refresh_after_decision(opened)
    rest = ", ".join(each.nr for each in opened.table.descendants(chosen.nr))
    if rest:
        click.echo(f"stages that depend on it: {rest}")
    click.echo(f"next: flagstone {'run' if known else f'review {chosen.nr} --run'} {opened.run.name}")
