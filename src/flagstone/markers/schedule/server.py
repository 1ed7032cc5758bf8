"""Starts the sessions that are due, one for each marker at a time, and remembers how they ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Thread

from flagstone.errors import FlagstoneError
from flagstone.locks import holder_of
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.homes import make_folder
from flagstone.markers.marker import Marker
from flagstone.markers.schedule.record import ScheduleRecord, read_schedule
from flagstone.markers.session import status_of

LOOK_EVERY_S = 60.0  # within this time it notices an edited schedule, and that the machine has slept
FAILED = 1


@dataclass(frozen=True)
class ServerWorld:
    """What the server looks at and acts on. Tests bring their own clock and sessions.

    `play` runs one session and returns its exit code, or None if the server was asked to end. `left_to` names what
    else runs a marker by its schedule, if anything does.
    """

    markers: Callable[[], Iterable[Marker]]
    play: Callable[[Marker], int | None]
    now: Callable[[], datetime]
    wait: Callable[[float], object]
    is_asked: Callable[[], bool]
    say: Callable[[str], object]
    left_to: Callable[[Marker], str] = lambda marker: ""


@dataclass
class Server:
    """Runs until it is asked to end, and then waits for its sessions, which are asked as well."""

    world: ServerWorld
    at_once: int = 2
    running: dict[Path, Thread] = field(default_factory=dict)
    records: dict[Path, ScheduleRecord] = field(default_factory=dict)
    reasons: dict[Path, str] = field(default_factory=dict)

    def serve(self) -> None:
        try:
            while not self.world.is_asked():
                self.world.wait(self.start_due())
        finally:
            for session in tuple(self.running.values()):
                session.join()

    def start_due(self) -> float:
        """Starts every session that is due, the oldest first. Returns after how many seconds to look again."""
        now, due = self.world.now(), list[tuple[datetime, Path, Marker]]()
        for marker in self.world.markers():
            folder = MarkerFolder.of(marker.repository, marker.name)
            at = self.record(folder, marker, now).due_at(marker.schedule)
            if at is not None and folder.root not in self.running:
                due.append((at, folder.root, marker))
        for at, _, marker in sorted(due, key=lambda each: each[:2]):
            if at <= now and len(self.running) < self.at_once:
                self.start(marker, at)
        later = [(at - now).total_seconds() for at, *_ in due if at > now]
        return min([LOOK_EVERY_S, *later])

    def record(self, folder: MarkerFolder, marker: Marker, now: datetime) -> ScheduleRecord:
        """What is known of a marker. It is written at once, so that a time that is missed from now on is noticed."""
        known = self.records.get(folder.root)
        found = read_schedule(folder.schedule, marker.schedule, now)
        if known is not None and known.timing == found.timing:
            return known.within_bounds(now)
        found = found.within_bounds(now)
        self.write(folder, found)
        return found

    def write(self, folder: MarkerFolder, record: ScheduleRecord) -> None:
        self.records[folder.root] = record  # counts even if the disk is full
        try:
            make_folder(folder)
            record.write(folder.schedule)
        except (FlagstoneError, OSError) as error:
            self.world.say(f"{folder.root}: {error}")

    def start(self, marker: Marker, at: datetime) -> None:
        """Starts a session. One of a marker at rest is left out, and one of a marker in use waits."""
        folder, due = MarkerFolder.of(marker.repository, marker.name), f"due since {clock_of(at)}"
        if reason := self.reason_to_leave_out(marker):
            self.world.say(f"{title_of(marker)}: {due}, {reason}")
            self.write(folder, self.records[folder.root].all_done(self.world.now()))
            return
        if holder := holder_of(folder.lock):
            reason = f"waits for process {holder.get('pid')}, which runs a session of it"
            if self.reasons.get(folder.root) != reason:  # said once, not every minute
                self.world.say(f"{title_of(marker)}: {due}, {reason}")
            self.reasons[folder.root] = reason
            return
        self.reasons.pop(folder.root, None)
        self.world.say(f"{title_of(marker)}: starts a session, {due}")
        session = Thread(target=self.run, args=(marker, folder), name=title_of(marker))
        self.running[folder.root] = session
        session.start()

    def reason_to_leave_out(self, marker: Marker) -> str:
        """Why the session that is due does not begin at all. Empty if it does."""
        status = status_of(marker)
        return f"its status is {status}" if status != "active" else self.world.left_to(marker)

    def run(self, marker: Marker, folder: MarkerFolder) -> None:
        """One session to its end. One that was asked to end stays due."""
        code: int | None = FAILED
        try:
            code = self.world.play(marker)
        except FlagstoneError as error:
            self.world.say(f"{title_of(marker)}: {error}")
        finally:
            record = self.records[folder.root]
            if code is not None:
                record = record.after_session(code, self.world.now())
                self.write(folder, record)
            del self.running[folder.root]
            self.world.say(f"{title_of(marker)}: {ending(code, record, marker)}")


def ending(code: int | None, record: ScheduleRecord, marker: Marker) -> str:
    if code is None:
        return "stopped; it continues when it is served again"
    due = record.due_at(marker.schedule)
    times = f" {record.failures} times in a row" if record.failures > 1 else ""
    how = f"failed{times} (exit code {code})" if record.failures else "ended"
    return f"{how}; next: {clock_of(due)}" if due else how


def title_of(marker: Marker) -> str:
    """The name of a marker that works anywhere."""
    return f"{marker.repository.name}:{marker.name}"


def clock_of(at: datetime) -> str:
    """A moment as a clock on the wall of this machine shows it, with its offset."""
    return at.astimezone().isoformat(" ", "minutes")
