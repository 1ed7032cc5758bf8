"""What a command works on: the current folder, the project and the run."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

import click

from flagstone.errors import FlagstoneError
from flagstone.gates import Messages, RunConfig, chosen_run, open_run
from flagstone.layout import Project, Run
from flagstone.settings import find_project, project_keys


@dataclass(frozen=True)
class Location:
    """What every command knows before it starts."""

    here: Path
    project_option: Path | None = None

    @cached_property
    def project(self) -> Project:
        return find_project(self.project_option.absolute() if self.project_option else self.here)

    def run(self, name: str | None) -> Run:
        return chosen_run(self.project, name, project_keys(self.project.root), self.here)

    def open_run(self, name: str | None, *, validate: bool = True) -> RunConfig:
        return open_run(self.project, self.run(name), validate=validate)

    def messages(self, run: Run) -> Messages:
        return Messages(run, self.here)


def refresh_after_decision(opened: RunConfig) -> None:
    """Brings what is derived in step with a decision. If that fails, the decision still counts."""
    from flagstone.status import refresh_derived  # here, not above: most commands decide nothing

    try:
        refresh_derived(opened)
    except FlagstoneError as error:
        click.echo(f"note: {error.problem}; the next call tries again", err=True)


def run_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--run NAME`, for commands whose argument is a stage."""
    wanted = "Which run (default: the one you are in, or the only one)."
    return click.option("--run", "-r", "run_name", metavar="NAME", help=wanted)(function)


def run_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """`[RUN]` or `--run NAME`, for commands about a whole run."""

    @click.argument("name", metavar="[RUN]", required=False)
    @run_option
    @functools.wraps(function)
    def with_name(*words: Any, name: str | None = None, run_name: str | None = None, **options: Any) -> Any:
        return function(*words, name=name or run_name, **options)

    return with_name


def need_terminal(hint: str, what: str) -> None:
    """Raises an error when there is no terminal to ask on. The hint says what to do instead."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise FlagstoneError(f"{what}, and there is no terminal to ask on", hint=hint)


def words_of_person() -> str:
    """What a person writes in $EDITOR or, if that is missing or fails, in the terminal up to an empty line."""
    try:
        return click.edit("", extension=".md") or ""
    except click.ClickException as error:
        click.echo(f"{error.format_message()}; write here instead, and end with an empty line:", err=True)
    return "".join(takewhile(str.strip, iter(sys.stdin.readline, "")))


def has_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
