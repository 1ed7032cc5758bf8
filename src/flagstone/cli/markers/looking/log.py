"""`flagstone marker log`: shows what a session printed, or the one that serves."""

from __future__ import annotations

import time
from pathlib import Path

import click

from flagstone.cli.amounts import COUNT
from flagstone.cli.looking.log import print_from
from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command
from flagstone.errors import FlagstoneError
from flagstone.locks import holder_of
from flagstone.markers import MarkerFolder, serve_lock, serve_log, session_logs
from flagstone.records import content_of

LOOK_EVERY_S = 0.1
OF_SERVER = 50


@marker_command
@click.option("--serve", "is_of_server", is_flag=True, help="Show what flagstone marker serve printed.")
@click.option("--follow", "-f", is_flag=True, help="Show lines as they come, until the session ends.")
@click.option("--session", type=COUNT, help="Which session (default: the last).")
@click.option("--lines", "-n", type=COUNT, help=f"Only the last lines (default: all; {OF_SERVER} with --serve).")
def command(chosen: Chosen, is_of_server: bool, follow: bool, session: int | None, lines: int | None) -> Answer:
    """Show what the last session of NAME printed.

    \b
    flagstone marker log coverage -f
    flagstone marker log --serve -n 20
    """
    if is_of_server:
        path, lock, lines = serve_log(), serve_lock(), lines or OF_SERVER
    else:
        marker = chosen.marker
        folder = MarkerFolder.of(marker.repository, marker.name)
        path, lock = log_of(folder, session), folder.lock
    content = content_of(path) or b""
    text = b"".join(content.splitlines(keepends=True)[-(lines or 0) :]).decode("utf-8", "replace")
    if follow:
        click.echo(text, nl=False)
        follow_log(path, lock, len(content))
    data = {"path": str(path), "lines": text.splitlines()}
    return Answer(data, "" if follow else text or f"{path} is empty or missing: nothing was served yet\n")


def log_of(folder: MarkerFolder, number: int | None) -> Path:
    logs = session_logs(folder)
    found = logs[-1:] if number is None else [path for path in logs if int(path.stem) == number]
    if found:
        return found[0]
    if not logs:
        raise FlagstoneError(
            f"marker {folder.name} has no session yet", hint=f"start one: flagstone marker run {folder.name!r}"
        )
    raise FlagstoneError(
        f"marker {folder.name} has no session {number}", hint=f"its sessions: 1 to {int(logs[-1].stem)}"
    )


def follow_log(path: Path, lock: Path, position: int) -> None:
    """Prints what is added to a log until nobody holds the lock any more."""
    while True:
        # looked at before reading, so that everything written until then is read below
        is_held = bool(holder_of(lock))
        position = print_from(path, position)
        if not is_held:
            return
        time.sleep(LOOK_EVERY_S)
