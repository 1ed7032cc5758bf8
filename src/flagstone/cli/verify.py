"""`flagstone verify`: says line by line whether a bundle holds."""

from __future__ import annotations

import json
from pathlib import Path

import click

from flagstone.bundle import VerifyOptions, verify_bundle
from flagstone.cli.location import Location
from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.text import count_text, printable_text

MARKS = {True: "✓", False: "✗", None: "–"}


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--digest", default="", help="The digest that the authors published: a bundle is not signed.")
@click.option("--rerun", type=click.IntRange(0), default=0, help="Run this many runs of trials again, in the sandbox.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
@click.pass_obj
def command(location: Location, bundle: Path, digest: str, rerun: int, as_json: bool) -> None:
    """Verify a bundle: exit code 0 if all of it holds, 3 if something does not.

    \b
    flagstone verify attn.zip
    flagstone verify attn.zip --rerun 1 --digest 0243870…
    """
    path = location.here / bundle
    if not path.is_file():
        raise FlagstoneError(f"there is no bundle {bundle}", hint="make one: flagstone bundle RUN")
    rows = []
    for row in verify_bundle(path, VerifyOptions(digest, reruns=rerun)):
        rows.append(row)
        if not as_json:
            click.echo(f"{MARKS[row.held]} {row.name:<16} {printable_text(row.text)}")
            for text in row.rests:
                click.echo(f"    {printable_text(text)}")
    failed = [row.name for row in rows if row.held is False]
    if as_json:
        lines = [{"name": row.name, "held": row.held, "text": row.text, "rests": row.rests} for row in rows]
        click.echo(json.dumps({"bundle": str(bundle), "held": not failed, "rows": lines}, indent=1, ensure_ascii=False))
    if failed:
        raise WorkFailed(
            f"{bundle} does not hold: {count_text(len(failed), 'line')} failed ({', '.join(failed)})",
            hint="ask for another copy; cite nothing that rests on what is named above",
        )
