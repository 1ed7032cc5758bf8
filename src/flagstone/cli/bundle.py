"""`flagstone bundle`: packs a run for strangers."""

from __future__ import annotations

from pathlib import Path

import click

from flagstone.bundle import pack_bundle, verify_bundle
from flagstone.cli.location import Location, run_argument
from flagstone.text import count_text, list_text


@click.command()
@run_argument
@click.option("--transcripts", is_flag=True, help="Pack what the agents were asked and answered too.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), help="Write the bundle to this file.")
@click.pass_obj
def command(location: Location, name: str | None, transcripts: bool, to: Path | None) -> None:
    """Pack a run into one file that a stranger can verify: bundle/RUN.zip.

    \b
    flagstone bundle attn
    flagstone bundle attn --transcripts --to attn.zip
    """
    opened = location.open_run(name, validate=False)
    run = opened.run
    target = location.here / to if to else run.bundle
    made = pack_bundle(opened, target, with_transcripts=transcripts)
    for path, why in made.notes.left_out.items():
        click.echo(f"left out: {path}: {why}", err=True)
    if made.notes.rewritten:
        click.echo(f"without paths and names: {list_text(sorted(made.notes.rewritten))}", err=True)
    shown = location.messages(run).path(made.path)
    click.echo(f"packed {shown}: {count_text(made.files, 'file')}, {made.size} bytes")
    click.echo(f"digest {made.digest}")
    if failed := [row.name for row in verify_bundle(made.path) if row.held is False]:
        click.echo(f"note: it does not hold ({list_text(failed)}); the next command says what and why", err=True)
    click.echo(f"next: flagstone verify {shown}")
