"""A line of a person's crontab that starts the sessions of a marker."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.layout import state_folder
from flagstone.locks import sole_use
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.homes import make_folder
from flagstone.markers.marker import Marker, Timing
from flagstone.markers.schedule.sessions import passed_environment, session_argv
from flagstone.markers.schedule.times import expression_of, zone_name
from flagstone.processes import run_quietly

TOOL_S = 30.0
LONGEST = 990  # cron cuts off what is longer, and does not say so
HOURS_AHEAD = 2 * 366 * 24
MACHINE_ZONE = Path("/etc/localtime")
SERVE = "flagstone marker serve runs the same schedule in the foreground"


@dataclass(frozen=True)
class CronLine:
    """The line of a marker. `title` stands at its end, and tells it from all others."""

    title: str
    kind = "cron"

    def text(self, marker: Marker) -> str:
        refuse_other_zone(marker.schedule)
        folder = MarkerFolder.of(marker.repository, marker.name)
        variables = (f"{name}={value}" for name, value in passed_environment().items())
        command = shlex.join(("env", *variables, *session_argv(marker)))
        output = f">>{shlex.quote(str(folder.root / 'scheduled.log'))} 2>&1"
        # cron ends a command at a percent sign, and has no way to write a backslash that all crons read alike
        line = f"{expression_of(marker.schedule)} {command} {output} # {self.title}".replace("%", r"\%")
        if "\\" in line.replace(r"\%", "") or not line.isprintable():
            raise FlagstoneError("cron cannot run a command with a backslash or a line break in it", hint=SERVE)
        if len(line.encode()) > LONGEST:
            raise FlagstoneError(
                f"the line is longer than the {LONGEST} bytes that cron reads", hint=f"shorten PATH; or: {SERVE}"
            )
        return line + "\n"

    def is_installed(self, marker: Marker | None = None) -> bool:
        """Whether there is a line; if a marker is given, whether it is the one of its present file."""
        lines = [line for line in read_crontab().splitlines(keepends=True) if self.is_ours(line)]
        return bool(lines) if marker is None else lines == [self.text(marker).encode()]

    def has_times_of(self, marker: Marker) -> bool:
        """Whether it begins sessions when the marker file says."""
        lines = filter(self.is_ours, read_crontab().splitlines())
        return all(line.startswith(f"{expression_of(marker.schedule)} env ".encode()) for line in lines)

    def is_ours(self, line: bytes) -> bool:
        return line.rstrip().endswith(f" # {self.title}".encode())

    def install(self, marker: Marker) -> None:
        make_folder(MarkerFolder.of(marker.repository, marker.name))
        self.replace(self.text(marker).encode())

    def remove(self) -> None:
        self.replace(b"")

    def replace(self, line: bytes) -> None:
        """Writes the crontab with another line of ours, or with none. Every other line stays as it is."""
        with sole_use(state_folder() / "crontab.lock"):
            before = read_crontab()
            others = b"".join(each for each in before.splitlines(keepends=True) if not self.is_ours(each))
            others += b"\n" if others and not others.endswith(b"\n") and line else b""
            if others + line == before:
                return
            code, _, said = run_quietly(("crontab", "-"), Path("/"), TOOL_S, stdin=others + line)
            if code or read_crontab() != others + line:
                raise WorkFailed(f"crontab: {said.decode('utf-8', 'replace').strip()}", hint=SERVE)

    def note(self) -> str:
        return ""

    @staticmethod
    def is_usable() -> bool:
        try:
            read_crontab()
        except WorkFailed:
            return False
        return True


def read_crontab() -> bytes:
    """The crontab of this person, which may be empty."""
    environ = {**os.environ, "LC_ALL": "C"}
    code, content, said = run_quietly(("crontab", "-l"), Path("/"), TOOL_S, env=environ)
    # if it cannot be read for any other reason, writing it would lose what is in it
    if code and b"no crontab" not in said.lower():
        raise WorkFailed(f"crontab -l: {said.decode('utf-8', 'replace').strip()}", hint=SERVE)
    return b"" if code else content


def refuse_other_zone(timing: Timing) -> None:
    """Cron knows only the zone of the machine."""
    if not (name := zone_name(timing)):
        return
    zone = ZoneInfo(name)
    with open(MACHINE_ZONE, "rb") as stream:
        here = ZoneInfo.from_file(stream)
    now = datetime.now(UTC)
    hours = (now + timedelta(hours=number) for number in range(HOURS_AHEAD))
    if any(hour.astimezone(zone).utcoffset() != hour.astimezone(here).utcoffset() for hour in hours):
        raise FlagstoneError(
            f"cron runs in the time zone of this machine, and the schedule is in that of {name}",
            hint=f"take schedule.timezone out of the marker file, and TZ out of the environment; or: {SERVE}",
        )
