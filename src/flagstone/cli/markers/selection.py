"""Finds the repository and the marker that a command is about."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from flagstone.cli.experiments.selection import print_progress
from flagstone.cli.location import Location
from flagstone.cli.markers.group import GIVEN, Answer, GroupOptions
from flagstone.errors import FlagstoneError
from flagstone.markers import (
    Marker,
    find_repository,
    marker_named,
    naming_marker,
    naming_repository,
    repository_called,
)

NEXT = ("next: ", "then: ")


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
    def elsewhere(self) -> str:
        """How a command has to name the repository again. Empty if it is the one around here."""
        if self.called:
            with suppress(FlagstoneError):  # nothing is called like that: the error says so
                return str(self.repository)
        return str(self.repo) if self.repo else ""

    def name_error(self, error: FlagstoneError) -> None:
        """Gives an error the words of markers, and commands that work where the person stands."""
        error.problem = naming_marker(error.problem)
        error.hint = naming_repository(naming_marker(error.hint), self.elsewhere)

    def named_answer(self, answer: Answer) -> Answer:
        """The answer with commands that work where the person stands."""
        lines = answer.text.splitlines(keepends=True)
        commands = {line for line in lines if line.startswith(NEXT) or len(lines) == 1}
        named = (naming_repository(line, self.elsewhere) if line in commands else line for line in lines)
        return replace(answer, text="".join(named))

    @property
    def marker(self) -> Marker:
        """The marker of this name, or the only one. Raises an error that lists all if that is not clear."""
        return marker_named(self.repository, self.name)


def print_line(line: str) -> None:
    """Prints one line of progress in the words of markers."""
    print_progress(naming_marker(line))


def marker_command(function: Callable[..., Any]) -> click.Command:
    """A command with `[NAME]` or `-m NAME`, and `--repo PATH`. It gets what was chosen as its first argument."""

    @click.command()
    @click.argument("name", metavar="[NAME]", required=False)
    @click.option("-m", "--marker", metavar="NAME", help="Which marker: NAME, or REPOSITORY:NAME from anywhere.")
    @click.option("--repo", type=click.Path(path_type=Path), help="Its repository (default: the one around here).")
    @functools.wraps(function)
    def with_marker(name: str | None, marker: str | None, repo: Path | None, **options: Any) -> Any:
        ctx = click.get_current_context()
        before = ctx.meta.get(GIVEN) or GroupOptions()
        if name and marker and name != marker:
            raise click.UsageError(f"two markers are named, {name!r} and {marker!r}: name one", ctx)
        if "" in (name, marker, before.marker):
            raise click.UsageError("the name of the marker is empty", ctx)
        called, _, own_name = (name or marker or before.marker or "").rpartition(":")
        place = repo or before.repo
        if called and place:
            raise click.UsageError(f"two repositories are named, {called!r} and {str(place)!r}: name one", ctx)
        chosen = Chosen(ctx.obj, place, own_name or None, called)
        try:
            return chosen.named_answer(function(chosen, **options))
        except FlagstoneError as error:
            chosen.name_error(error)
            raise

    return with_marker
