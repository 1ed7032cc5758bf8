"""When the next session begins: known answers, above all on the days on which clocks change."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest

from flagstone.errors import FlagstoneError
from flagstone.markers.marker import Timing
from flagstone.markers.schedule.times import next_time

NIGHT, WEEKEND = Timing("overnight"), Timing("weekend")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(timing: Timing, after: str, count: int) -> list[str]:
    found, moment = [], at(after)
    for _ in range(count):
        moment = next_time(timing, moment) or pytest.fail("there is no next time")
        found.append(moment.strftime("%a %Y-%m-%d %H:%M"))
    return found


def zoned(cron: str, zone: str) -> Timing:
    return Timing("cron", cron=cron, timezone=zone)


def test_a_marker_on_demand_has_no_next_time() -> None:
    assert next_time(Timing(), at("2026-03-01")) is None


def test_overnight_is_one_o_clock_of_the_zone() -> None:
    berlin = Timing("overnight", timezone="Europe/Berlin")
    assert times(berlin, "2026-01-10 23:59", 2) == ["Sun 2026-01-11 00:00", "Mon 2026-01-12 00:00"]


def test_a_time_is_never_its_own_next_time() -> None:
    utc = Timing("overnight", timezone="UTC")
    assert times(utc, "2026-01-10 01:00", 1) == ["Sun 2026-01-11 01:00"]
    assert times(utc, "2026-01-10 00:59:59.999", 1) == ["Sat 2026-01-10 01:00"]


def test_weekend_is_saturday_at_one() -> None:
    york = Timing("weekend", timezone="America/New_York")
    assert times(york, "2026-07-01", 2) == ["Sat 2026-07-04 05:00", "Sat 2026-07-11 05:00"]


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        # Berlin jumps from 02:00 to 03:00 on 29 March 2026, which is 01:00 UTC
        ("30 2 * * *", "Europe/Berlin", "2026-03-28 02:00", ["Sun 2026-03-29 01:00", "Mon 2026-03-30 00:30"]),
        ("*/20 2 * * *", "Europe/Berlin", "2026-03-28 23:00", ["Sun 2026-03-29 01:00", "Mon 2026-03-30 00:00"]),
        ("30 * * * *", "Europe/Berlin", "2026-03-29 00:45", ["Sun 2026-03-29 01:00", "Sun 2026-03-29 01:30"]),
        # and shows 02:00 to 03:00 twice on 25 October 2026: until 00:00 UTC, and until 01:00 UTC
        ("30 2 * * *", "Europe/Berlin", "2026-10-24 12:00", ["Sun 2026-10-25 00:30", "Mon 2026-10-26 01:30"]),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25 01:10", ["Mon 2026-10-26 01:30"]),
        ("0 3 * * *", "Europe/Berlin", "2026-10-25 01:10", ["Sun 2026-10-25 02:00"]),
        # New York jumps from 02:00 to 03:00 on 8 March 2026 at 07:00 UTC, and back on 1 November 2026 at 06:00 UTC
        ("30 2 * * *", "America/New_York", "2026-03-08 00:00", ["Sun 2026-03-08 07:00", "Mon 2026-03-09 06:30"]),
        ("30 1 * * *", "America/New_York", "2026-11-01 00:00", ["Sun 2026-11-01 05:30", "Mon 2026-11-02 06:30"]),
        # London skips one o'clock itself
        ("0 1 * * *", "Europe/London", "2026-03-28 12:00", ["Sun 2026-03-29 01:00", "Mon 2026-03-30 00:00"]),
        # Samoa had no 30 December 2011
        ("0 12 * * *", "Pacific/Apia", "2011-12-29 23:00", ["Fri 2011-12-30 10:00", "Fri 2011-12-30 22:00"]),
    ],
)  # fmt: skip
def test_a_skipped_time_comes_after_the_gap_and_a_doubled_one_once(
    cron: str, zone: str, after: str, expected: list[str]
) -> None:
    assert times(zoned(cron, zone), after, len(expected)) == expected


def test_without_a_zone_the_clock_of_the_machine_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for zone in ("Europe/Berlin", "America/New_York"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        for cron in ("30 2 * * *", "30 1 * * *", "*/20 2 * * *"):
            for day in ("2026-03-07", "2026-03-28", "2026-10-24 12:00", "2026-10-31"):
                assert times(Timing("cron", cron=cron), day, 4) == times(zoned(cron, zone), day, 4)
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 0 29 2 *", ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00"]),
        ("0 0 13 * 5", ["Fri 2026-01-02 00:00", "Fri 2026-01-09 00:00", "Tue 2026-01-13 00:00"]),
        ("0 0 */10 * sun", ["Sun 2026-01-11 00:00", "Sun 2026-02-01 00:00"]),
        ("15 6-8/2 1,15 JAN,jul *", ["Thu 2026-01-01 06:15", "Thu 2026-01-01 08:15", "Thu 2026-01-15 06:15"]),
        ("0 0 * * 7", ["Sun 2026-01-04 00:00"]),
        ("50/5 4 * * 5-7", ["Fri 2026-01-02 04:50", "Fri 2026-01-02 04:55", "Sat 2026-01-03 04:50"]),
    ],
)
def test_cron_means_what_it_means_in_debian(cron: str, expected: list[str]) -> None:
    assert times(zoned(cron, "UTC"), "2026-01-01", len(expected)) == expected


@pytest.mark.parametrize(
    ("cron", "problem"),
    [
        ("0 1 * *", "has 4 fields"),
        ("", "has 0 fields"),
        ("0 0 1 * * *", "has 6 fields"),
        ("60 1 * * *", "'60' as a minute"),
        ("0 24 * * *", "'24' as an hour"),
        ("0 1 0 * *", "'0' as a day of the month"),
        ("0 1 * 13 *", "'13' as a month"),
        ("0 1 * * 8", "'8' as a day of the week"),
        ("0 1 * * fri#2", "'fri#2' as a day of the week"),
        ("0 1 L * *", "'L' as a day of the month"),
        ("*/0 1 * * *", "'*/0' as a minute"),
        ("5- 1 * * *", "'5-' as a minute"),
        ("-5 1 * * *", "'-5' as a minute"),
        ("5-1 1 * * *", "'5-1' as a minute"),
        ("1,,2 1 * * *", "'1,,2' as a minute"),
        ("², 1 * * *", "'²,' as a minute"),
        ("1/2/3 1 * * *", "'1/2/3' as a minute"),
        ("0 0 30 2 *", "never comes"),
    ],
)
def test_what_cron_does_not_know_is_refused(cron: str, problem: str) -> None:
    with pytest.raises(FlagstoneError, match=re.escape(problem)):
        next_time(zoned(cron, "UTC"), at("2026-01-01"))


@pytest.mark.parametrize("zone", ["Europe/Nowhere", "../../etc/passwd", "Europe", "/etc/localtime", "a\0b"])
def test_a_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(FlagstoneError, match="there is no time zone"):
        next_time(zoned("0 1 * * *", zone), at("2026-01-01"))
