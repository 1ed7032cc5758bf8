"""The next time of a schedule, across the days on which clocks change."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flagstone.errors import FlagstoneError
from flagstone.markers.marker import Timing
from flagstone.markers.schedule.cron import Cron, read_cron

EXPRESSIONS = {"overnight": "0 1 * * *", "weekend": "0 1 * * 6"}


def cron_of(timing: Timing) -> Cron | None:
    """The five fields of a schedule. Returns None if a person starts every session."""
    return None if timing.type == "on-demand" else read_cron(expression_of(timing))


def expression_of(timing: Timing) -> str:
    return timing.cron if timing.type == "cron" else EXPRESSIONS[timing.type]


def zone_of(timing: Timing) -> ZoneInfo | None:
    """The time zone of a schedule. Returns None for that of the machine."""
    if not timing.timezone:
        return None
    try:
        return ZoneInfo(timing.timezone)
    except (KeyError, ValueError, OSError) as error:
        raise FlagstoneError(
            f"there is no time zone {timing.timezone!r}", hint="write one such as Europe/Berlin, or leave it out"
        ) from error


def zone_name(timing: Timing) -> str:
    """The time zone of a schedule by name, or that of this terminal. Empty for that of the machine."""
    try:
        return timing.timezone or ZoneInfo(os.environ["TZ"]).key
    except (KeyError, ValueError, OSError):
        return ""


def timing_problem(timing: Timing) -> str:
    """What is wrong with a schedule. Empty if nothing is."""
    try:
        next_time(timing, datetime.now(UTC))
    except FlagstoneError as error:
        return f"{error.problem}: {error.hint}"
    return ""


def next_time(timing: Timing, after: datetime) -> datetime | None:
    """The first time after a moment, in UTC. Returns None if a person starts every session.

    A time that the clock skips comes right after the gap, and a time that the clock shows twice comes once.
    """
    cron, zone = cron_of(timing), zone_of(timing)
    if cron is None:
        return None
    moments = (moment_of(wall, zone) for wall in cron.times_from(after.astimezone(zone).date()))
    return next(moment for moment in moments if moment > after)


def moment_of(wall: datetime, zone: ZoneInfo | None) -> datetime:
    """When a clock on the wall shows a time for the first time, or has just jumped over it."""
    while is_skipped(wall, zone):
        wall += timedelta(minutes=1)
    return utc_of(wall, zone)


def is_skipped(wall: datetime, zone: ZoneInfo | None) -> bool:
    return utc_of(wall, zone).astimezone(zone).replace(tzinfo=None, fold=0) != wall


def utc_of(wall: datetime, zone: ZoneInfo | None) -> datetime:
    # without a zone, Python takes that of the machine
    return wall.replace(tzinfo=zone).astimezone(UTC)
