"""`flagstone marker serve`: runs what is scheduled, in the foreground."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from flagstone.cli.amounts import COUNT
from flagstone.cli.location import Location
from flagstone.cli.markers.group import GIVEN, Answer
from flagstone.errors import FlagstoneError
from flagstone.locks import holder_of
from flagstone.markers import (
    ServedMarker,
    find_repository,
    known_repositories,
    serve,
    serve_lock,
    serve_log,
    served_markers,
    stop_server,
)
from flagstone.text import clock_text, count_text, printable_text


@click.command()
@click.option("--status", "wants_status", is_flag=True, help="Show who serves, and when each marker is due.")
@click.option("--stop", "wants_stop", is_flag=True, help="Ask the one that serves to end, with its sessions.")
@click.option("--at-once", type=COUNT, default=2, show_default=True, help="Run at most this many sessions at once.")
@click.option("--repo", type=click.Path(path_type=Path), help="Only the markers of this repository.")
@click.pass_context
def command(ctx: click.Context, wants_status: bool, wants_stop: bool, at_once: int, repo: Path | None) -> Answer:
    """Run a session of each marker at the times of its `schedule`, in all repositories that `add` made known.

    A session that was missed is run once. One that failed is tried again after 1, 2, 4 … 24 hours. Ctrl-C ends all
    sessions; nothing is lost.

    \b
    flagstone marker serve
    flagstone marker serve --status
    """
    location: Location = ctx.obj
    given = repo or (ctx.meta[GIVEN].repo if GIVEN in ctx.meta else None)
    if wants_stop:
        return stopped_answer(stop_server())
    only = find_repository(location.here / given) if given else None
    if wants_status:
        return status_answer((only,) if only else known_repositories())
    if only is None and not known_repositories():
        raise FlagstoneError("no repository is known", hint="flagstone marker add PATH makes one known; or give --repo")
    serve(lambda: (only,) if only else known_repositories(), at_once, show)
    return Answer({"running": False}, "")


def show(line: str) -> None:
    """Prints a line with its time, and adds it to the log of the server."""
    text = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {printable_text(line)}\n"
    # sessions go on when the disk is full, and when the terminal is gone
    with suppress(OSError):
        click.echo(text, nl=False, err=True)
    with suppress(OSError), open(serve_log(), "a", encoding="utf-8", errors="replace") as log:
        log.write(text)


def stopped_answer(holder: dict[str, Any] | None) -> Answer:
    text = f"process {holder['pid']} has ended, and so have its sessions" if holder else "nobody serves"
    return Answer({"action": "stopped" if holder else "none", "pid": holder and holder["pid"]}, text)


def status_answer(repositories: tuple[Path, ...]) -> Answer:
    problems: dict[str, str] = {}
    rows = served_markers(
        repositories, lambda place, problem: problems.update({str(place): problem} if problem else {})
    )
    holder = holder_of(serve_lock()) or {}
    who = "process {pid} on {host} serves since {since}".format(**holder) if holder else "nobody serves"
    lines = [who, *map(line_of, rows), *(f"{place}: {problem}" for place, problem in problems.items())]
    data = {"running": bool(holder), "pid": holder.get("pid"), "started_at": holder.get("since")}
    if not rows:
        lines.append("no marker has a schedule; set one in its file: schedule: {type: overnight}")
    return Answer({**data, "markers": [vars(row) for row in rows], "problems": problems}, "\n".join(lines))


def line_of(row: ServedMarker) -> str:
    when = f"next {clock_text(row.next_at.timestamp(), time.time())}" if row.next_at and row.status == "active" else ""
    now = f"process {row.pid} runs a session" if row.pid else when
    failed = f"after {count_text(row.failures, 'failure')}" if row.failures else ""
    return f"{row.marker}: {', '.join(filter(None, (row.status, now, failed)))}"
