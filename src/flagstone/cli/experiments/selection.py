"""Finds the experiment that a command is about: one of a run, or one of the project around."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flagstone.cli.location import Location
from flagstone.errors import FlagstoneError
from flagstone.layout import RUN_NAME
from flagstone.plans import Home, experiment_named, experiments_around

if TYPE_CHECKING:
    from flagstone.experiments.engine import OpenedExperiment


def experiment_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """`[NAME]` and `--run RUN`: which experiment."""

    @click.argument("name", metavar="[NAME]", required=False)
    @click.option("--run", "-r", "run_name", metavar="RUN", help="The run it belongs to (default: this project).")
    @functools.wraps(function)
    def with_name(*words: Any, **options: Any) -> Any:
        return function(*words, **options)

    return with_name


def home_of(location: Location, name: str | None, run_name: str | None) -> Home:
    """The experiment that a person means. Raises an error that lists all experiments if that is not clear."""
    return experiment_named(*experiment_folder(location, run_name), name)


def experiment_folder(location: Location, run_name: str | None) -> tuple[Path, Path]:
    """The folder of experiments, and the run or project that they belong to."""
    if run_name is None:
        return experiments_around(location.here)
    run = location.run(run_name)
    return run.root / "experiments", run.root


def is_run(location: Location, name: str) -> bool:
    """Whether there is a run of this name. Outside a project there is none."""
    try:
        return bool(location.run(name))
    except FlagstoneError:
        return False


def open_chosen_experiment(
    location: Location, name: str | None, run_name: str | None, **options: Any
) -> OpenedExperiment:
    # imported here because `status` and `tail` need none of it and must be quick
    from flagstone.cli.jobs.owner import schemas_of
    from flagstone.experiments.engine import open_experiment

    home = home_of(location, name, run_name)
    return open_experiment(home, schemas_of(home.base), **options)


def refuse_invalid_name(name: str, kind: str = "an experiment") -> None:
    if not RUN_NAME.match(name):
        raise FlagstoneError(
            f"{name!r} is not a valid name for {kind}", hint="use letters, digits, dots, dashes and underscores"
        )


def no_such_run(home: Home, run_id: str) -> FlagstoneError:
    from flagstone.experiments.ledger import rows_of

    known = sorted(
        {*home.run_names(), *(row.run_id for row in rows_of(home.ledger))}, key=lambda name: (len(name), name)
    )
    listed = f"{known[0]} to {known[-1]}" if known else "none yet"
    return FlagstoneError(f"there is no run {run_id!r} of {home.name}", hint=f"its runs: {listed}")


def print_progress(line: str) -> None:
    """Prints one line of progress on the terminal."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {line}\n")
    sys.stderr.flush()
