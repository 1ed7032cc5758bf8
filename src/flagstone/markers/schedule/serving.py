"""`serve` as a process: who holds it, what it knows, and how it is asked to end."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.layout import state_folder
from flagstone.locks import hold, holder_of
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.marker import Marker
from flagstone.markers.schedule.record import read_schedule
from flagstone.markers.schedule.server import Server, ServerWorld, title_of
from flagstone.markers.schedule.sessions import STOP_S, play_session, scheduled_markers
from flagstone.markers.schedule.timers import installed_timers
from flagstone.markers.session import status_of
from flagstone.processes import Interruption
from flagstone.text import count_text

TITLE = "flagstone marker serve"
LOOK_S = 0.1


def serve_lock() -> Path:
    return state_folder() / "serve.lock"


def serve_log() -> Path:
    return state_folder() / "serve.log"


def serve(repositories: Callable[[], Iterable[Path]], at_once: int, say: Callable[[str], object]) -> None:
    """Runs what is due until a signal asks it to end. A second one is refused, and told who holds the first."""
    problems = dict[Path, str]()

    def report(place: Path, problem: str) -> None:
        if problem != problems.get(place, ""):
            say(f"{place}: {problem or 'can be read again'}")
        problems[place] = problem

    def markers() -> list[Marker]:
        try:
            known = tuple(repositories())
        except FlagstoneError as error:
            report(state_folder(), str(error))
            return []
        report(state_folder(), "")
        return scheduled_markers(known, report)

    with hold(serve_lock(), TITLE), Interruption() as asking:
        world = ServerWorld(
            markers=markers,
            play=lambda marker: play_session(marker, asking, lambda line: say(f"{title_of(marker)}: {line}")),
            now=lambda: datetime.now(UTC),
            wait=lambda wait_s: select.select([asking.asked], [], [], wait_s),
            is_asked=lambda: asking.is_asked,
            say=say,
            left_to=timer_words,
        )
        say(f"serves {count_text(len(markers()), 'marker')}")
        Server(world, at_once).serve()
        say("has ended")


def timer_words(marker: Marker) -> str:
    """Says what else runs a marker by its schedule. Empty if nothing does."""
    kinds = [timer.kind for timer in installed_timers(marker.repository, marker.name)]
    return f"and left to {' and '.join(kinds)}, as flagstone marker schedule has set up" if kinds else ""


@dataclass(frozen=True)
class ServedMarker:
    """One marker with a schedule: when its next session begins, and who runs one now."""

    marker: str
    repository: str
    status: str
    next_at: datetime | None
    failures: int
    pid: int | None


def served_markers(repositories: Iterable[Path], report: Callable[[Path, str], object]) -> list[ServedMarker]:
    now = datetime.now(UTC)
    found = []
    for marker in scheduled_markers(repositories, report):
        folder = MarkerFolder.of(marker.repository, marker.name)
        record = read_schedule(folder.schedule, marker.schedule, now).within_bounds(now)
        pid = (holder_of(folder.lock) or {}).get("pid")
        place, status = str(marker.repository), status_of(marker)
        found.append(
            ServedMarker(title_of(marker), place, status, record.due_at(marker.schedule), record.failures, pid)
        )
    return found


def stop_server() -> dict[str, Any] | None:
    """Asks the server to end, waits for that, and returns who it was. Returns None if there was none."""
    holder = holder_of(serve_lock())
    if holder is None:
        return None
    if holder.get("host") != os.uname().nodename:
        raise FlagstoneError(f"{TITLE} runs on {holder.get('host')}", hint="stop it there")
    with suppress(ProcessLookupError):
        handle = os.pidfd_open(int(holder["pid"]))
        try:
            if holder_of(serve_lock()) == holder:  # it holds the lock still, so the number is still its own
                signal.pidfd_send_signal(handle, signal.SIGTERM)
        finally:
            os.close(handle)
    end = time.monotonic() + STOP_S + 10
    while holder_of(serve_lock()) == holder:
        if time.monotonic() > end:
            raise FlagstoneError(
                f"process {holder['pid']} has not ended yet",
                hint=f"wait for it, or end it at once: kill {holder['pid']}",
            )
        time.sleep(LOOK_S)
    return holder
