"""`flagstone campaign report`: shows what a campaign came to, and copies its documents."""

from __future__ import annotations

import json
from pathlib import Path

import click

from flagstone.cli.campaigns.status import opened_campaign
from flagstone.cli.jobs.campaign import record_of
from flagstone.cli.location import Location, run_argument
from flagstone.text import printable_text
from flagstone.trials.campaign import SUMMARY, campaign_outcome, documents, export_to, leading_idea, summary_text


@click.command()
@run_argument
@click.option(
    "--export-to",
    "export_to_folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Copy the documents to DIR/docs, such as the project. What is there is not overwritten.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(location: Location, name: str | None, export_to_folder: Path | None, as_json: bool) -> None:
    """Show what the campaign RUN came to: its outcome, the effect or the lessons, and where the documents are.

    \b
    flagstone campaign report clip
    flagstone campaign report clip --export-to ../nano
    """
    run = opened_campaign(location, name).run
    record = record_of(run)
    copied = export_to(run, export_to_folder) if export_to_folder else []
    if as_json:
        outcome, idea = campaign_outcome(record), leading_idea(record)
        found = {
            "run": run.name,
            "outcome": outcome and outcome.value,
            "idea": idea and idea.arm,
            "documents": documents(record),
            "copied": [str(path) for path in copied],
        }
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    click.echo(location.messages(run).with_paths(printable_text(summary_text(record))), nl=False)
    if not (run.root / SUMMARY).is_file():
        click.echo(f"\nThis is not the end of it. See: flagstone campaign status {run.name}")
    for path in copied:
        click.echo(f"copied {location.messages(run).path(path)}")
