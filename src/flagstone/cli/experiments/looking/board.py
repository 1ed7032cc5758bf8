"""`flagstone experiment board`: opens TensorBoard on what experiments and their runs have written."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from flagstone.cli.experiments.selection import experiment_argument, experiment_folder
from flagstone.cli.location import Location
from flagstone.errors import FlagstoneError
from flagstone.plans import Home, experiment_named, experiment_names

BOARD = ".board"  # no name of an experiment begins with a dot
PORT = 6006


@click.command()
@experiment_argument
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.pass_obj
def command(location: Location, name: str | None, run_name: str | None, port: int) -> None:
    """Open TensorBoard on experiment NAME, or on all experiments, at http://localhost:6006. Ctrl-C ends it.

    \b
    flagstone experiment board
    flagstone experiment board lr --port 6007
    """
    folder, base = experiment_folder(location, run_name)
    names = [experiment_named(folder, base, name).name] if name else experiment_names(folder)
    board = folder / BOARD
    shutil.rmtree(board, ignore_errors=True)
    if not sum(link_events(Home(folder / each, base), board / each) for each in names):
        raise FlagstoneError(
            f"no experiment in {folder} has written events yet",
            hint="events come with the first run: flagstone experiment run",
        )
    argv = [
        sys.executable,
        "-m",
        "tensorboard.main",
        "--logdir",
        str(board),
        "--host",
        "localhost",
        "--port",
        str(port),
    ]
    os.execv(argv[0], argv)


def link_events(home: Home, board: Path) -> int:
    """Links every folder with event files of an experiment below one folder. Returns how many there are."""
    found = [(board / "loop", home.events)] if home.events.is_dir() else []
    found += [(board / path.relative_to(home.root / "runs"), path) for path in event_folders(home.root / "runs")]
    for link, target in found:
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(target)
    return len(found)


def event_folders(folder: Path) -> Iterator[Path]:
    """The uppermost folders with event files. Links are not followed: they lead into the project."""
    for place, folders, files in os.walk(folder):
        if any("tfevents" in name for name in files):
            folders.clear()
            yield Path(place)
