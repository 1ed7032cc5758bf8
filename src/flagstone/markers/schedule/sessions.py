"""Which markers have a schedule, and a session of one in a process of its own."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from flagstone.errors import FlagstoneError, Interrupted
from flagstone.markers.marker import Marker
from flagstone.markers.reading import read_markers
from flagstone.processes import Command, Interruption, Output, ProcessLimits, run

# where the files of a person are, if they are not where they usually are, and whose clock counts
PASSED = ("TZ", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "FLAGSTONE_LOCKS", "CLAUDE_CONFIG_DIR")
CLOCK = re.compile(r"^\d\d:\d\d:\d\d ")
STOP_S = 60.0  # a session ends its current run, with all that this has started


def scheduled_markers(repositories: Iterable[Path], report: Callable[[Path, str], object]) -> list[Marker]:
    """Every marker with a schedule. Of each repository, the problem is reported, which is empty if there is none."""
    found = []
    for repository in repositories:
        problem = ""
        try:
            found += [each for each in read_markers(repository).markers if each.schedule.type != "on-demand"]
        except FlagstoneError as error:
            problem = str(error)
        report(repository, problem)
    return found


def session_argv(marker: Marker) -> tuple[str, ...]:
    """The command of one session, with absolute paths."""
    # -P: the repository is the current folder, and must not lend Python its modules
    python = (sys.executable, "-P", "-m", "flagstone.cli.main")
    return (*python, "marker", "run", marker.name, "--repo", str(marker.repository), "--scheduled")


def passed_environment() -> dict[str, str]:
    """What a session that systemd or cron starts has of our variables. Secrets are never among them."""
    found = {name: os.environ[name] for name in PASSED if os.environ.get(name)}
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return {"PATH": os.pathsep.join(dict.fromkeys(filter(os.path.isabs, folders)))} | found


def play_session(marker: Marker, interruption: Interruption, say: Callable[[str], object]) -> int | None:
    """Runs one session to its end and returns its exit code. Returns None if it was asked to end before.

    It dies with this process, and goes on in the next one where it stopped.
    """
    command = Command(session_argv(marker), None, marker.repository, os.environ)

    def show(line: bytes) -> None:
        say(CLOCK.sub("", line.decode("utf-8", "replace")))  # whoever says it adds the time again

    try:
        limits = ProcessLimits(stop_s=STOP_S)
        result = run(command, limits, Output(Path(os.devnull)), show, interruption=interruption)
    except Interrupted:
        return None
    return result.exit_code if result.exit_code is not None else 128 + (result.signal or 0)
