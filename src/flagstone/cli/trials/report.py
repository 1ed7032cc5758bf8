"""`flagstone trials report`: shows the verdict, and every number behind it."""

from __future__ import annotations

import json

import click

from flagstone.cli.experiments.selection import experiment_argument
from flagstone.cli.location import Location
from flagstone.cli.trials.selection import chosen_trial, refuse_if_not_begun, spec_of_trial, trial_command
from flagstone.errors import FlagstoneError
from flagstone.plans import TrialFolder
from flagstone.records import Ledger
from flagstone.text import printable_text
from flagstone.trials import read_story
from flagstone.trials.reporting import report_text, verdict_record, write_derived


@click.command()
@experiment_argument
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON, for scripts.")
@click.pass_obj
def command(location: Location, name: str | None, run_name: str | None, as_json: bool) -> None:
    """Report on trial NAME: the verdict, each idea with its numbers, the baseline, every run.

    \b
    flagstone trials report clip
    flagstone trials report clip --json
    """
    plan = chosen_trial(location, name, run_name)
    refuse_if_not_begun(plan)
    trial, spec = plan.folder, spec_of_trial(plan)
    story = read_story(trial.ledger)
    if as_json:
        if story.verdict is None:
            raise FlagstoneError(f"trial {plan.name} has no verdict yet", hint=f"see: {trial_command(plan, 'status')}")
        click.echo(json.dumps(verdict_record(spec, story), indent=1, ensure_ascii=False))
        return
    if not is_current(trial):
        write_derived(trial, spec)
    click.echo(printable_text(report_text(spec, story)), nl=False)
    for problem in Ledger(trial.ledger).rewritten_lines():
        click.echo(f"do not believe this: {problem}; see: {trial_command(plan, 'verify')}", err=True)
    click.echo(f"with pictures: {trial.page}", err=True)


def is_current(trial: TrialFolder) -> bool:
    """Whether the page was written after the last line of the ledger: drawing its pictures takes a second."""
    try:
        return trial.page.stat().st_mtime_ns >= trial.ledger.stat().st_mtime_ns
    except OSError:
        return False
