"""Finds the repository and the marker that a command is about."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from flagstone.cli.location import Location
from flagstone.cli.markers.group import GIVEN, MarkerWords
from flagstone.markers import Marker, find_repository, marker_named, repository_called


@dataclass(frozen=True)
class Chosen:
    """The repository and the name of the marker that a command is about; the name is None if none was given.

    `called` is the name or the path of the repository that stood before the marker's, with a colon.
    """

    location: Location
    repo: Path | None
    name: str | None
    called: str = ""

    @functools.cached_property
    def repository(self) -> Path:
        if self.called:
            return repository_called(self.called, self.location.here)
        return find_repository(self.location.here / self.repo if self.repo else self.location.here)

    @property
    def marker(self) -> Marker:
        """The marker of this name, or the only one. Raises an error that lists all if that is not clear."""
        return marker_named(self.repository, self.name)


def marker_command(function: Callable[..., Any]) -> click.Command:
    """A command with `[NAME]` or `-m NAME`, and `--repo PATH`. It gets what was chosen as its first argument."""

    @click.command()
    @click.argument("name", metavar="[NAME]", required=False)
    @click.option("-m", "--marker", metavar="NAME", help="Which marker: NAME, or REPOSITORY:NAME from anywhere.")
    @click.option("--repo", type=click.Path(path_type=Path), help="Its repository (default: the one around here).")
    @functools.wraps(function)
    def with_marker(name: str | None, marker: str | None, repo: Path | None, **options: Any) -> Any:
        ctx = click.get_current_context()
        before = ctx.meta.get(GIVEN) or MarkerWords()
        if name and marker and name != marker:
            raise click.UsageError(f"two markers are named, {name!r} and {marker!r}: name one", ctx)
        called, _, own_name = (name or marker or before.marker or "").rpartition(":")
        place = repo or before.repo
        if called and place:
            raise click.UsageError(f"two repositories are named, {called!r} and {str(place)!r}: name one", ctx)
        return function(Chosen(ctx.obj, place, own_name or None, called), **options)

    return with_marker
