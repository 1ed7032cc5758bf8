"""A schedule as systemd writes it, also on the days on which clocks change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from flagstone.markers.marker import Timing
from flagstone.markers.schedule.cron import Cron, read_cron
from flagstone.markers.schedule.times import expression_of, is_skipped, moment_of, utc_of, zone_name, zone_of

YEARS_AHEAD = 10
WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


def calendar_lines(timing: Timing, now: datetime) -> list[str]:
    """What stands after `OnCalendar=`, one line each.

    Systemd leaves out a time that the clock skips. Such times of the next ten years have a line of their own.
    """
    cron = read_cron(expression_of(timing))
    clock = f"{numbers(cron.hours, 24)}:{numbers(cron.minutes, 60)}:00"
    days = f"*-{numbers(cron.months, 12)}-{numbers(cron.days, 31)}"
    any_day = f"*-{numbers(cron.months, 12)}-*"
    names = ",".join(WEEKDAYS[day] for day in cron.weekdays) if len(cron.weekdays) < len(WEEKDAYS) else ""
    # cron, if both kinds of days are given, means either of them, and systemd means both
    dates = [f"{names} {days}"] if cron.needs_both else [days, f"{names} {any_day}"]
    regular = [f"{date} {clock} {zone_name(timing)}".strip() for date in dates]
    return regular + [f"{moment:%Y-%m-%d %H:%M}:00 UTC" for moment in sorted(set(after_gaps(cron, timing, now)))]


def numbers(chosen: tuple[int, ...], count: int) -> str:
    return "*" if len(chosen) == count else ",".join(f"{number:02}" for number in chosen)


def after_gaps(cron: Cron, timing: Timing, now: datetime) -> Iterator[datetime]:
    """When a session begins whose time the clock skips, for each such time."""
    # whole years, so that the text is another one once a year only
    zone, first = zone_of(timing), datetime(now.year, 1, 1)
    for begin in (first + timedelta(days=number) for number in range(366 * (YEARS_AHEAD + 1))):
        day = begin.date()
        if utc_of(begin + timedelta(days=1), zone) - utc_of(begin, zone) < timedelta(days=1) and cron.has_day(day):
            of_day = takewhile(lambda wall, day=day: wall.date() == day, cron.times_from(day))  # type: ignore[misc]
            yield from (moment_of(wall, zone).astimezone(UTC) for wall in of_day if is_skipped(wall, zone))
