"""`flagstone marker schedule`: has systemd or cron run a marker."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

import click

from flagstone.cli.location import need_terminal
from flagstone.cli.markers.group import Answer
from flagstone.cli.markers.selection import Chosen, marker_command
from flagstone.errors import Interrupted
from flagstone.markers import installed_timers, next_time, timer_for
from flagstone.text import clock_text, printable_text

KEYS = "API keys of this terminal are not passed on: log in with the agent's own command, or set agent.env_file"


@marker_command
@click.option("-y", "--yes", is_flag=True, help="Install it without asking.")
@click.option("--show", is_flag=True, help="Show what would be installed, and change nothing.")
@click.option("--remove", is_flag=True, help="Remove what was installed.")
def command(chosen: Chosen, yes: bool, show: bool, remove: bool) -> Answer:
    """Have sessions of NAME begin at the times of its `schedule`: by a user timer of systemd, or else by cron.

    It shows the exact text first, and asks. After an edit of the schedule, give the command again.

    \b
    flagstone marker schedule coverage
    flagstone marker schedule coverage --remove
    """
    if remove:
        return removed_answer(chosen)
    marker = chosen.marker
    timer = timer_for(marker)
    text, is_there = timer.text(marker), timer.is_installed(marker)
    due = next_time(marker.schedule, datetime.now(UTC))
    data = {"marker": marker.name, "kind": timer.kind, "title": timer.title, "text": text, "next_at": due}
    if show or is_there:
        state = "installed" if is_there else "not installed, or with another text"
        return Answer({**data, "installed": is_there}, f"{text}{state}")
    if not yes:
        sys.stderr.write(printable_text(text))
        need_terminal("read the text above, then give the command again with -y", "nothing was installed")
        if not click.confirm(f"Install this for {timer.kind}?", err=True):
            raise Interrupted("nothing was installed", hint="flagstone marker serve runs the same in the foreground")
    timer.install(marker)
    note, begins = timer.note(), clock_text(due.timestamp(), time.time()) if due else "never"
    lines = [f"{marker.name} is run by {timer.kind} now; its next session begins: {begins}", note, KEYS]
    return Answer({**data, "installed": True, "note": note}, "\n".join(filter(None, [text if yes else "", *lines])))


def removed_answer(chosen: Chosen) -> Answer:
    """Removes every timer of a marker, which may be gone from its file."""
    name = chosen.name or chosen.marker.name
    timers = installed_timers(chosen.repository, name)
    for timer in timers:
        timer.remove()
    kinds = [timer.kind for timer in timers]
    text = f"{name} is no longer run by {' and '.join(kinds)}" if kinds else f"nothing was installed for {name}"
    return Answer({"marker": name, "removed": kinds}, text)
