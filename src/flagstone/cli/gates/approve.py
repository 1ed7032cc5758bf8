"""`flagstone approve`: open a gate."""

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
@click.option("--digest", help="Approve only if this is still what the stage offers (a prefix will do).")
@click.option("--comment", default="", help="Words that go into the seal.")
@run_option
@click.pass_obj
def command(
    standing: Standing, stages: tuple[str, ...], digest: str | None, comment: str, run_name: str | None
) -> None:
    """Approve what the stage NN offers now, exactly as it is.

    \b
    flagstone approve 03
    flagstone approve 03 --digest 5f2c91 --comment "the design is sound"
    """
    opened = standing.opened(run_name)
    if digest and len(stages) > 1:
        raise FlagstoneError("--digest is about one stage", hint="approve the stages one by one")
    for word in stages:
        stage = stage_named(opened, word)
        approve(opened, stage, digest, comment)
        click.echo(f"approved stage {stage.nr} {stage.name} of run {opened.run.name}")
    click.echo(f"next: flagstone run {opened.run.name}")


def approve(opened: OpenedRun, stage: Stage, digest: str | None, comment: str) -> None:
    """Seals the approval and brings what is derived from it up to date."""
    held_by = next((holder for verdict, holder in judge_gates(opened, time.time_ns()) if verdict.stage == stage), None)
    if held_by:
        raise FlagstoneError(
            f"stage {stage.nr} {stage.name} rests on stage {held_by.nr}, whose gate is closed",
            hint=f"decide on that one first: flagstone review {held_by.nr} --run {opened.run.name}",
        )
    approve_now(opened, stage, command_decision(comment), digest)
    memory.write(opened)
    write_handoffs(opened)
    write_manifest(opened)
    opened.cache.save()
