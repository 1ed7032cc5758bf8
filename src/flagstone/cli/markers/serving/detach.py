"""`flagstone marker detach`: forgets a repository."""

from __future__ import annotations

import os
from pathlib import Path

import click

from flagstone.cli.location import Location
from flagstone.cli.markers.group import GIVEN, Answer
from flagstone.errors import FlagstoneError
from flagstone.markers import detach_repository, find_repository, known_repositories, read_markers, repository_called


@click.command()
@click.argument("path", metavar="[PATH]", required=False, type=click.Path(path_type=Path))
@click.option("-m", "--marker", metavar="NAME", help="The repository, or its only marker, by name.")
@click.pass_context
def command(ctx: click.Context, path: Path | None, marker: str | None) -> Answer:
    """Forget the repository at PATH (default: the one around this folder). Nothing in it is changed or removed.

    \b
    flagstone marker detach ~/projects/parser
    flagstone marker detach -m parser
    """
    location: Location = ctx.obj
    name = marker or (ctx.meta[GIVEN].marker if GIVEN in ctx.meta else None)
    repository = repository_named(name, location.here) if name else repository_at(location.here / (path or "."))
    if not detach_repository(repository):
        known = ", ".join(map(str, known_repositories())) or "none"
        raise FlagstoneError(f"{repository} is not on the list", hint=f"known repositories: {known}")
    return Answer({"detached": str(repository)}, f"{repository} is forgotten; nothing in it was changed")


def repository_at(path: Path) -> Path:
    """The repository around a path. One that is gone can be forgotten too."""
    return find_repository(path) if path.exists() else Path(os.path.realpath(path))


def repository_named(name: str, here: Path) -> Path:
    """The repository of a name. A marker stands for its repository if that has no other."""
    called, _, marker = name.rpartition(":")
    repository = repository_called(called or marker, here)
    others = [each.name for each in read_markers(repository).markers if each.name != marker] if called else []
    if others:
        raise FlagstoneError(
            f"{repository} has other markers too: {', '.join(others)}",
            hint=f"leave only this one out: flagstone marker skip {name!r}; or forget all: "
            f"flagstone marker detach {str(repository)!r}",
        )
    return repository
