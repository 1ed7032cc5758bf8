"""The five fields of a cron expression, as sets of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import NamedTuple

from flagstone.errors import FlagstoneError

# the longest wait of a date that exists: 29 February on one day of the week, across 2100
DAYS = 41 * 366
EXAMPLE = "write minute, hour, day of the month, month, day of the week, such as '30 2 * * 1-5'"


class CronField(NamedTuple):
    """What may stand in one field. The first name stands for the lowest number."""

    title: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()


FIELDS = (
    CronField("a minute", 0, 59),
    CronField("an hour", 0, 23),
    CronField("a day of the month", 1, 31),
    CronField("a month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    CronField("a day of the week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)


@dataclass(frozen=True)
class Cron:
    """When something is due. Sunday is 0. `needs_both`: the day of the month and the day of the week have to fit."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    needs_both: bool

    def has_day(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        fits = (day.day in self.days, day.isoweekday() % 7 in self.weekdays)
        return all(fits) if self.needs_both else any(fits)

    def times_from(self, day: date) -> Iterator[datetime]:
        """Every time on a clock on the wall, from the beginning of a day on."""
        for later in (day + timedelta(days=number) for number in range(DAYS)):
            if self.has_day(later):
                clocks = product(self.hours, self.minutes)
                yield from (datetime.combine(later, time(hour, minute)) for hour, minute in clocks)


def read_cron(text: str) -> Cron:
    """The meaning of a cron expression, as Debian's cron has it. Raises an error if it has none."""
    words = text.split()
    if len(words) != len(FIELDS):
        raise FlagstoneError(f"{text!r} has {len(words)} fields, and cron has 5", hint=EXAMPLE)
    minutes, hours, days, months, weekdays = (
        read_field(word, field) for word, field in zip(words, FIELDS, strict=True)
    )
    either = words[2].startswith("*") or words[4].startswith("*")
    cron = Cron(minutes, hours, days, months, tuple(sorted({day % 7 for day in weekdays})), needs_both=either)
    if not any(map(cron.has_day, (date(2000, 1, 1) + timedelta(days=number) for number in range(DAYS)))):
        raise FlagstoneError(f"{text!r} names a day that never comes", hint="correct the day or the month")
    return cron


def read_field(text: str, field: CronField) -> tuple[int, ...]:
    found: set[int] = set()
    for term in text.split(","):
        span, slash, step = term.partition("/")
        first, dash, last = ("", "", "") if span == "*" else span.partition("-")
        low = read_number(first, text, field) if first or span != "*" else field.lowest
        ends_high = span == "*" or (slash and not dash)
        high = field.highest if ends_high else read_number(last, text, field) if dash else low
        if low > high or (slash and not (step.isascii() and step.isdigit() and int(step))):
            raise field_error(text, field)
        found.update(range(low, high + 1, int(step or 1)))
    return tuple(sorted(found))


def read_number(word: str, text: str, field: CronField) -> int:
    if word.lower() in field.names:
        return field.names.index(word.lower()) + field.lowest
    if word.isascii() and word.isdigit() and field.lowest <= int(word) <= field.highest:
        return int(word)
    raise field_error(text, field)


def field_error(text: str, field: CronField) -> FlagstoneError:
    names = f", or {field.names[0]} to {field.names[-1]}" if field.names else ""
    return FlagstoneError(
        f"cron does not know {text!r} as {field.title}",
        hint=f"write *, or numbers from {field.lowest} to {field.highest}{names}, such as 1,3 or 1-5 or */2",
    )
