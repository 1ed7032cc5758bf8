"""What starts the sessions of a marker without a process of ours: systemd, or else cron."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from flagstone.errors import FlagstoneError
from flagstone.markers.marker import Marker
from flagstone.markers.schedule.crontab import SERVE, CronLine
from flagstone.markers.schedule.systemd import SystemdTimer
from flagstone.records import digest_value

Timer: TypeAlias = SystemdTimer | CronLine


def timer_title(repository: Path, name: str) -> str:
    """A name for the timer of a marker that no other marker of this machine has."""
    return f"flagstone-{name.replace(' ', '-')}-{digest_value([str(repository), name])[:8]}"


def timer_for(marker: Marker) -> Timer:
    """What can start the sessions of a marker on this machine."""
    if marker.schedule.type == "on-demand":
        raise FlagstoneError(
            f"marker {marker.name} has no schedule", hint=f"set one in {marker.file}: schedule: {{type: overnight}}"
        )
    if "\n" in f"{marker.repository}":
        raise FlagstoneError("the path of this repository has a line break in it", hint=SERVE)
    title = timer_title(marker.repository, marker.name)
    for kind in (SystemdTimer, CronLine):
        if kind.is_usable():
            return kind(title)
    raise FlagstoneError("neither systemd nor cron can start sessions here", hint=SERVE)


def installed_timers(repository: Path, name: str) -> list[Timer]:
    """The timers of a marker, which may be gone from its file."""
    title = timer_title(repository, name)
    systemd, cron = SystemdTimer(title), CronLine(title)
    found: list[Timer] = [systemd] if systemd.is_installed() else []
    return [*found, cron] if cron.is_usable() and cron.is_installed() else found


def timer_warnings(marker: Marker) -> list[str]:
    """What is wrong with the timers of a marker: those that begin sessions at other times than its file says."""
    is_on_demand = marker.schedule.type == "on-demand"
    cure = f"flagstone marker schedule {marker.name!r}{' --remove' if is_on_demand else ''}"
    return [
        f"{timer.kind} starts sessions at other times than {marker.file} says; update it: {cure}"
        for timer in installed_timers(marker.repository, marker.name)
        if is_on_demand or not timer.has_times_of(marker)
    ]
