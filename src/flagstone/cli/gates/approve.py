"""`flagstone approve`: opens a gate."""

from __future__ import annotations

import click

from flagstone.cli.location import Location, refresh_after_decision, run_option
from flagstone.errors import FlagstoneError
from flagstone.gates import approve_stage, command_decision, run_command


@click.command()
@click.argument("stages", nargs=-1, required=True, metavar="NN…")
@click.option("--digest", help="Approve only if the content still has this digest (a prefix is enough).")
@click.option("--comment", default="", help="A comment to record in the seal.")
@run_option
@click.pass_obj
def command(
    location: Location, stages: tuple[str, ...], digest: str | None, comment: str, run_name: str | None
) -> None:
    """Approve exactly what stage NN offers now.

    \b
    flagstone approve 03
    flagstone approve 03 --digest 5f2c91 --comment "the design is sound"
    """
    opened = location.open_run(run_name)
    if digest and len(stages) > 1:
        raise FlagstoneError("--digest works for one stage only", hint="approve the stages one by one")
    for word in stages:
        stage = opened.table.find(word)
        verdict = approve_stage(opened, stage, command_decision(comment), digest)
        refresh_after_decision(opened)
        for notice in verdict.notices:
            click.echo(f"note: {location.messages(opened.run).with_paths(notice)}")
        click.echo(f"approved stage {stage.nr} {stage.name} of run {opened.run.name}")
    click.echo(f"next: {run_command(opened.run)}")
