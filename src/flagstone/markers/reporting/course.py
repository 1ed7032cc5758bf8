"""How far a session of a marker is, and each of its runs as a line, for whoever watches it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from flagstone.experiments.ledger import Entry, entries_of, verdict_lines
from flagstone.markers.folder import MarkerFolder
from flagstone.markers.marker import Marker
from flagstone.markers.reporting.results import status_word
from flagstone.plans import Home, Spec
from flagstone.records import read_record, seconds_of
from flagstone.text import one_line

BARS = "▁▂▃▄▅▆▇█"
NOTE = 80


@dataclass(frozen=True)
class Course:
    """How far the session is that goes on now. `bests` are the best after each run; the counts are of this session.

    `until` is the number of experiments after which it ends, and `experiments` that of all so far.
    """

    marker: Marker
    home: str = ""
    began_s: float = 0.0
    until: int = 0
    number: int = 0
    experiments: int = 0
    session_experiments: int = 0
    baseline: float | None = None
    bests: tuple[float, ...] = ()
    words: tuple[str, ...] = ()
    cost_usd: float = 0.0

    def after(self, entry: Entry) -> Course:
        """The same with one more run."""
        is_own = seconds_of(entry.ended_at or "") >= self.began_s
        is_new = is_own and not (entry.is_baseline or entry.is_carried)
        best = entry.best_value
        return replace(
            self,
            number=entry.number,
            experiments=self.experiments + entry.is_idea,
            session_experiments=self.session_experiments + (is_own and entry.is_idea),
            baseline=entry.value if entry.is_baseline else self.baseline,
            bests=self.bests if best is None or not isfinite(best) else (*self.bests, best),
            words=(*self.words, status_word(entry)) if is_new else self.words,
            cost_usd=self.cost_usd + (entry.spent_usd if is_own else 0.0),
        )

    def allowed_s(self, now_s: float) -> float | None:
        """How long it may still go on. Returns None if nothing limits that."""
        limits = (self.marker.loop.budgets.wall_s, self.marker.schedule.duration_s)
        found = [max(0.0, each - (now_s - self.began_s)) for each in limits if each is not None]
        return min(found, default=None)

    def expected_s(self, now_s: float) -> float | None:
        """How long its other experiments take if they go as those so far. Returns None before the first."""
        if not self.session_experiments:
            return None
        return max(0, self.until - self.experiments) * max(0.0, now_s - self.began_s) / self.session_experiments


def course_of(marker: Marker) -> Course:
    """How far the session of a marker is that goes on now."""
    folder = MarkerFolder.of(marker.repository, marker.name)
    record = read_record(folder.session) or {}
    home = str(record.get("home", "")) or (folder.homes[-1].root.name if folder.homes else "")
    began_s = seconds_of(str(record["began_at"])) if "began_at" in record else time.time()
    course = Course(marker, home, began_s, int(record.get("until", 0)))
    for entry in entries_of(folder.root / home / "ledger.jsonl") if home else ():
        course = course.after(entry)
    return course


def run_lines(home: Home, entry: Entry, spec: Spec) -> Iterator[str]:
    """The verdict on one run in the words of markers, then what else belongs to it."""
    yield run_line(entry)
    _, *more = verdict_lines(home, entry, spec)
    yield from more


def run_line(entry: Entry) -> str:
    """One run: `r0005 keep 13, better than r0002 (12)  "a note"`."""
    number = "" if entry.value is None else f" {entry.value:.6g}"
    note = f'  "{one_line(entry.note, NOTE)}"' if entry.note and not entry.is_baseline else ""
    ending = f"  ended by {entry.terminated_by}" if entry.should_terminate else ""
    return f"{entry.run_id} {status_word(entry)}{number}, {one_line(entry.reason, 160)}{note}{ending}"


def sparkline(values: Sequence[float], width: int) -> str:
    """The course of a number in so many bars at most."""
    count = min(width, len(values))
    shown = [values[(place + 1) * len(values) // count - 1] for place in range(count)]
    low, high = min(shown, default=0.0), max(shown, default=0.0)
    size = (high - low) or 1.0
    return "".join(BARS[round((value - low) / size * (len(BARS) - 1))] for value in shown)
