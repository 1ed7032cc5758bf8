"""`flagstone marker add`: remembers a repository, so that its markers are known anywhere."""

from __future__ import annotations

from pathlib import Path

import click

from flagstone.cli.location import Location
from flagstone.cli.markers.group import Answer
from flagstone.markers import add_repository, find_repository, read_markers
from flagstone.text import count_text


@click.command()
@click.argument("path", metavar="[PATH]", required=False, type=click.Path(path_type=Path))
@click.option("--path", "named", metavar="PATH", type=click.Path(path_type=Path), help="The same as PATH.")
@click.pass_obj
def command(location: Location, path: Path | None, named: Path | None) -> Answer:
    """Remember the repository at PATH (default: the one around this folder). Its markers get names that work anywhere.

    \b
    flagstone marker add ~/projects/parser
    flagstone marker run parser:coverage
    """
    repository = find_repository(location.here / (path or named or "."))
    names = [f"{repository.name}:{each.name}" for each in read_markers(repository).markers]
    when = "now" if add_repository(repository) else "already"
    first = f"{repository} is known {when}, with {count_text(len(names), 'marker')}"
    return Answer({"repository": str(repository), "added": names}, "\n".join((first, *names)))
