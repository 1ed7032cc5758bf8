"""What a terminal shows of a session while it goes on: a line for each run, and below them how far it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from flagstone.cli.experiments.selection import print_progress
from flagstone.experiments.ledger import Entry
from flagstone.markers import Course, Marker, Watch, course_of, run_lines, sparkline
from flagstone.plans import Home, Spec, run_id
from flagstone.text import one_line, printable_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

STYLES = {"keep": "green", "discard": "dim", "crash": "red", "violation": "magenta"}
BARS = 24


@contextmanager
def watch_of(marker: Marker) -> Iterator[Watch]:
    """Shows a session as it goes on: live on a terminal, as plain lines anywhere else and with --json."""
    ctx = click.get_current_context(silent=True)
    if not sys.stderr.isatty() or (ctx and ctx.meta.get("json")):
        yield Watch(print_progress)
        return
    from rich.console import Console
    from rich.live import Live

    view = LiveView(marker, Console(stderr=True, highlight=False))
    with Live(console=view.console, get_renderable=view.footer, refresh_per_second=2, transient=True):
        yield Watch(view.say, view.lines)


@dataclass
class LiveView:
    """Prints the lines of a session, and draws its course below them. `course` is None until the session has begun."""

    marker: Marker
    console: Console
    course: Course | None = None
    opened_s: float = field(default_factory=time.time)

    def say(self, line: str) -> None:
        self.console.print(styled_line(f"{time.strftime('%H:%M:%S')} {printable_text(line)}"))

    def lines(self, home: Home, entry: Entry, spec: Spec) -> Iterable[str]:
        self.add(entry)
        return run_lines(home, entry, spec)

    def add(self, entry: Entry) -> None:
        is_next = self.course is not None and entry.number == self.course.number + 1
        self.course = self.course.after(entry) if self.course and is_next else course_of(self.marker)

    def footer(self) -> Text:
        if self.course is None:
            now = course_of(self.marker)
            self.course = now if now.until and now.began_s >= self.opened_s else None
        return footer_of(self.course or Course(self.marker, began_s=self.opened_s), time.time(), self.console.width)


def styled_line(line: str) -> Text:
    """A line of a session. The word of a verdict has its colour."""
    from rich.text import Text

    found = Text(line)
    word = next((word for word in line.split()[2:3] if word.strip(",") in STYLES), "")
    if word:
        found.highlight_words([f" {word.strip(',')}"], STYLES[word.strip(",")])
    return found


def footer_of(course: Course, now_s: float, width: int) -> Text:
    """Two rows: the best and how it came about; what was kept, spent, and how long it goes on."""
    from rich.text import Text

    rows = [" · ".join(best_words(course)), " · ".join(spent_words(course, now_s))]
    found = Text("\n", style="bold").join(Text(row) for row in rows)
    for row in (lines := found.split("\n")):
        row.truncate(width, overflow="ellipsis")
    return Text("\n").join(lines)


def best_words(course: Course) -> Iterator[str]:
    yield one_line(course.marker.name, 30)
    yield f"{run_id(course.number + 1)} goes on" if course.number else "the unedited files are measured"
    if course.bests:
        began = "" if course.baseline is None else f" (from {course.baseline:.6g})"
        yield f"best {course.bests[-1]:.6g}{began}  {sparkline(course.bests, BARS)}"


def spent_words(course: Course, now_s: float) -> Iterator[str]:
    counts = {word: course.words.count(word) for word in STYLES}
    yield " ".join(f"{count} {word}" for word, count in counts.items() if count or word in ("keep", "discard"))
    limit = course.marker.loop.budgets.usd
    yield f"${course.cost_usd:.2f}" + (f" of ${limit:g}" if limit is not None else "")
    yield left_text(course.allowed_s(now_s), course.expected_s(now_s))


def left_text(allowed_s: float | None, expected_s: float | None) -> str:
    if expected_s is not None and (allowed_s is None or expected_s <= allowed_s):
        return f"about {duration_text(expected_s)} left"
    return "time left unknown" if allowed_s is None else f"at most {duration_text(allowed_s)} left"


def duration_text(seconds: float) -> str:
    if seconds < 90:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"
