"""A user timer of systemd that starts the sessions of a marker."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flagstone.errors import WorkFailed
from flagstone.markers.marker import Marker
from flagstone.markers.schedule.calendar import calendar_lines
from flagstone.markers.schedule.sessions import STOP_S, passed_environment, session_argv
from flagstone.processes import run_quietly
from flagstone.records import content_of, write_atomic

TOOL_S = 30.0
LATE_S = 900  # a session that does not end by itself is ended this long after its duration

SERVICE = """[Unit]
Description=A session of the marker {title}

[Service]
Type=exec
{environment}
ExecStart={command}
KillMode=mixed
TimeoutStopSec={stop_s:.0f}
SuccessExitStatus=130
{limit}"""

TIMER = """[Unit]
Description=The sessions of the marker {title}

[Timer]
{calendar}
Persistent=true
AccuracySec=1s

[Install]
WantedBy=timers.target
"""


@dataclass(frozen=True)
class SystemdTimer:
    """The two unit files of a marker. `title` names them."""

    title: str
    kind = "systemd"

    @property
    def files(self) -> tuple[Path, Path]:
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        folder = Path(base) / "systemd" / "user"
        return folder / f"{self.title}.service", folder / f"{self.title}.timer"

    def text(self, marker: Marker) -> str:
        return "\n".join(f"# {path}\n{text}" for path, text in self.units(marker))

    def units(self, marker: Marker) -> tuple[tuple[Path, str], ...]:
        title = f"{marker.name} in {marker.repository}".replace("%", "%%")
        duration_s = marker.schedule.duration_s
        service = SERVICE.format(
            title=title,
            environment="\n".join(
                f"Environment={quoted_word(f'{name}={value}')}" for name, value in passed_environment().items()
            ),
            command=" ".join(quoted_word(word).replace("$", "$$") for word in session_argv(marker)),
            stop_s=STOP_S * 1.5,
            limit=f"RuntimeMaxSec={duration_s + LATE_S:.0f}\n" if duration_s else "",
        )
        lines = calendar_lines(marker.schedule, datetime.now(UTC))
        timer = TIMER.format(title=title, calendar="\n".join(f"OnCalendar={line}" for line in lines))
        return tuple(zip(self.files, (service, timer), strict=True))

    def is_installed(self, marker: Marker | None = None) -> bool:
        """Whether there is a timer; if a marker is given, whether it is the one of its present file."""
        if marker is None:
            return self.files[1].exists()
        return all(content_of(path) == text.encode() for path, text in self.units(marker))

    def has_times_of(self, marker: Marker) -> bool:
        """Whether it begins sessions when the marker file says."""
        return regular_times(content_of(self.files[1]) or b"") == regular_times(self.units(marker)[1][1].encode())

    def install(self, marker: Marker) -> None:
        # an earlier one remembers when it last ran, and would make up for times that were not in its schedule
        self.remove()
        for path, text in self.units(marker):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, text.encode())
        try:
            systemctl("daemon-reload")
            systemctl("enable", "--now", self.files[1].name)
        except WorkFailed:
            self.remove()
            raise

    def remove(self) -> None:
        """Ends the timer and removes its files. A session that runs is not ended."""
        # best effort: of a timer that is half installed there may be nothing to disable
        run_tool("systemctl", "--user", "disable", "--now", self.files[1].name)
        run_tool("systemctl", "--user", "clean", "--what=state", self.files[1].name)
        for path in self.files:
            path.unlink(missing_ok=True)
        run_tool("systemctl", "--user", "daemon-reload")

    def note(self) -> str:
        """What a person has to do besides. Empty if nothing."""
        code, output, _ = run_tool("loginctl", "show-user", getpass.getuser(), "--property=Linger")
        if code == 0 and output.strip() == b"Linger=yes":
            return ""
        return "timers of a person run only while that person is logged in, unless: loginctl enable-linger"

    @staticmethod
    def is_usable() -> bool:
        """Whether systemd runs user timers here."""
        return run_tool("systemctl", "--user", "show-environment")[0] == 0


def regular_times(timer: bytes) -> list[bytes]:
    """The times of a timer, without those on the days on which clocks change: each year these are other ones."""
    return [line for line in timer.splitlines() if line.startswith(b"OnCalendar=") and not line[11:12].isdigit()]


def systemctl(*words: str) -> None:
    code, _, said = run_tool("systemctl", "--user", *words)
    if code:
        problem = said.decode("utf-8", "replace").strip() or f"exit code {code}"
        raise WorkFailed(
            f"systemctl --user {' '.join(words)}: {problem}",
            hint="nothing was installed; flagstone marker serve runs the same schedule in the foreground",
        )


def run_tool(*argv: str) -> tuple[int, bytes, bytes]:
    return run_quietly(argv, Path("/"), TOOL_S, env={**os.environ, "LC_ALL": "C"})


def quoted_word(word: str) -> str:
    """A word as systemd reads it back."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'
