"""`flagstone refine`: asks for changes, in the same conversation."""

from __future__ import annotations

import click

from flagstone.cli.location import Location, need_terminal, refresh_after_decision, run_option, words_of_person
from flagstone.gates import requests, run_command


@click.command()
@click.argument("stage", metavar="NN")
@click.argument("words", required=False)
@run_option
@click.pass_obj
def command(location: Location, stage: str, words: str | None, run_name: str | None) -> None:
    """Ask the agent of stage NN for changes. Without WORDS, your editor opens.

    \b
    flagstone refine 02 "Narrow it to one claim."
    flagstone refine 02
    """
    opened = location.open_run(run_name)
    chosen = opened.table.find(stage)
    if words is None:
        need_terminal(f'give them: flagstone refine {chosen.nr} "…"', "refine needs your words")
        words = words_of_person()
    requests.refine(opened, chosen, words)
    refresh_after_decision(opened)
    path = location.messages(opened.run).path(opened.run.feedback(chosen.nr))
    click.echo(f"wrote {path}; stage {chosen.nr} continues with it in the same conversation")
    click.echo(f"next: {run_command(opened.run)}")
