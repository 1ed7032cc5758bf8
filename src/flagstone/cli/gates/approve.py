"""`flagstone approve`: opens a gate."""

from __future__ import annotations

import time

import click

from flagstone.cli.where import Standing, run_option, stage_named
from flagstone.drafting import write_handoffs
from flagstone.errors import FlagstoneError
from flagstone.gates import OpenedRun, approve_now, command_decision, judge_gates, memory
from flagstone.stages import Stage
from flagstone.status import write_manifest


@click.command()
@click.argument("stages", nargs=-1, required=True, metavar="NN…")
@click.option("--digest", help="Approve only if the content still has this digest (a prefix is enough).")
@click.option("--comment", default="", help="A comment to record in the seal.")
@run_option
@click.pass_obj
def command(
    standing: Standing, stages: tuple[str, ...], digest: str | None, comment: str, run_name: str | None
) -> None:
    """Approve exactly what stage NN offers now.

    \b
    flagstone approve 03
    flagstone approve 03 --digest 5f2c91 --comment "the design is sound"
    """
    opened = standing.opened(run_name)
    if digest and len(stages) > 1:
        raise FlagstoneError("--digest works for one stage only", hint="approve the stages one by one")
    for word in stages:
        stage = stage_named(opened, word)
        approve(opened, stage, digest, comment)
        click.echo(f"approved stage {stage.nr} {stage.name} of run {opened.run.name}")
    click.echo(f"next: flagstone run {opened.run.name}")


def approve(opened: OpenedRun, stage: Stage, digest: str | None, comment: str) -> None:
    """Seals the approval and updates the files that are derived from it."""
    held_by = next((holder for verdict, holder in judge_gates(opened, time.time_ns()) if verdict.stage == stage), None)
    if held_by:
        raise FlagstoneError(
            f"stage {stage.nr} {stage.name} rests on stage {held_by.nr}, whose gate is closed",
            hint=f"decide on that stage first: flagstone review {held_by.nr} --run {opened.run.name}",
        )
    approve_now(opened, stage, command_decision(comment), digest)
    memory.write(opened)
    write_handoffs(opened)
    write_manifest(opened)
    opened.cache.save()
