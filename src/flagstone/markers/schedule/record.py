"""What is written down about the schedule of a marker, so that a restart knows what is due."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from flagstone.markers.marker import Timing
from flagstone.markers.schedule.times import expression_of, next_time
from flagstone.records import read_as, write_record

LONGEST_H = 24
FINE = (0, 130)  # a session that a signal ended has not failed


@dataclass(frozen=True)
class ScheduleRecord:
    """All that was due until `done_at` is done or left out. `failures` are those since the last session that succeeded.

    `timing` is the schedule that this is about: when it is edited, what was due before is no longer due.
    """

    timing: str
    done_at: datetime
    failures: int = 0
    retry_at: datetime | None = None

    def due_at(self, timing: Timing) -> datetime | None:
        """When the next session begins. Returns None if a person starts every session."""
        due = next_time(timing, self.done_at)
        return max(due, self.retry_at) if due and self.retry_at else due

    def all_done(self, now: datetime) -> ScheduleRecord:
        return ScheduleRecord(self.timing, now)

    def after_session(self, exit_code: int, now: datetime) -> ScheduleRecord:
        """What is known after a session. One that failed is due again after 1, 2, 4 … 24 hours."""
        if exit_code in FINE:
            return self.all_done(now)
        pause = timedelta(hours=min(2**self.failures, LONGEST_H))
        return replace(self, failures=self.failures + 1, retry_at=now + pause)

    def within_bounds(self, now: datetime) -> ScheduleRecord:
        """The same, unless a clock that was wrong wrote it: that must not keep a session from its time."""
        latest = now + timedelta(hours=LONGEST_H)
        retry_at = min(self.retry_at, latest) if self.retry_at else None
        return replace(self, done_at=min(self.done_at, now), retry_at=retry_at)

    def write(self, path: Path) -> None:
        retry_at = self.retry_at.isoformat() if self.retry_at else None
        write_record(path, {**vars(self), "done_at": self.done_at.isoformat(), "retry_at": retry_at})


def read_schedule(path: Path, timing: Timing, now: datetime) -> ScheduleRecord:
    """The record of a schedule. It begins now if there is none, or if the schedule was edited."""
    text = f"{expression_of(timing)} {timing.timezone}".strip()
    found = read_as(path, ScheduleRecord)
    if found is None or found.timing != text or found.done_at.tzinfo is None:
        return ScheduleRecord(text, now)
    return found
