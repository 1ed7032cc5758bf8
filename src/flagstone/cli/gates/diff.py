"""`flagstone diff`: shows what changed since the last approval or version."""

from __future__ import annotations

import click

from flagstone.cli.location import Location, has_colour, run_option
from flagstone.errors import FlagstoneError
from flagstone.gates import Version, content_of, kept_versions
from flagstone.status import differences, last_approved, previous_version
from flagstone.text import printable_text

COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@click.command()
@click.argument("stage", metavar="NN")
@click.option(
    "--since", default="approval", metavar="WHAT", help="`approval` (default), `version`, or the name of a version."
)
@run_option
@click.pass_obj
def command(location: Location, stage: str, since: str, run_name: str | None) -> None:
    """Compare what stage NN offers now with what it offered before.

    \b
    flagstone diff 03
    flagstone diff 03 --since version
    """
    opened = location.open_run(run_name, validate=False)
    chosen = opened.table.find(stage)
    content = content_of(opened, chosen)
    if content is None:
        raise FlagstoneError(f"stage {chosen.nr} offers nothing now", hint=f"run it: flagstone run {opened.run.name}")
    old: Version | None
    if since == "approval":
        old = last_approved(opened, chosen) or previous_version(opened, chosen, content)
    elif since == "version":
        old = previous_version(opened, chosen, content)
    else:
        old = next((each for each in kept_versions(opened.run, chosen.nr) if each.name.startswith(since)), None)
        if old is None:
            known = ", ".join(each.name for each in kept_versions(opened.run, chosen.nr)[-8:]) or "none yet"
            raise FlagstoneError(f"stage {chosen.nr} has no version {since!r}", hint=f"its versions: {known}")
    lines = list(differences(opened, chosen, old)) if old else []
    for line in lines:
        click.echo(click.style(printable_text(line), fg=COLOURS.get(line[:1])), color=has_colour())
    if not lines:
        click.echo(f"nothing changed since {old.name}" if old else "this is its first version")
