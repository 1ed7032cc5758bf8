"""What was tried and did not help: a memory that stays small however many runs there were."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from flagstone.experiments.ledger import NOT_AN_IDEA, Entry, entries_of
from flagstone.experiments.proposers.protocol import View
from flagstone.plans import Home
from flagstone.records import encode, read_as, write_atomic
from flagstone.text import one_line

RECENT = 30
NEAR = 10
GAINS = 3
NEAR_BYTES = 1400
MOST_BYTES = 4096
NOTE, CHANGE, WHY = 120, 160, 160
RAISED = re.compile(r"(?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit|Warning)\b(?::.*)?|CUDA error.*|Killed.*")
# how pytest, unittest, go and cargo name a test that failed
TEST = re.compile(r"FAILED \S+|(?:FAIL|ERROR): \S+|--- FAIL: \S+|test \S+ \.\.\. FAILED|not ok \d+")
PLAIN = re.compile(r"not clearly better than|(no )?better than (the best|r\d+)\b(?!:|.*although)")

Tail = Callable[[Entry], str]


def no_tail(_: Entry) -> str:
    return ""


@dataclass(frozen=True)
class Idea:
    """One edit in a line: what it was, and its verdict."""

    run_id: str
    note: str
    change: str
    outcome: str
    why: str
    value: float | None = None

    @property
    def line(self) -> str:
        what = f'"{self.note}"' if self.note else "(no note)"
        changed = f" [{self.change}]" if self.change else ""
        value = "" if self.value is None else f" {self.value:.6g}"
        why = f" ({self.why})" if self.why else ""
        return f"{self.run_id} {what}{changed}: {self.outcome}{value}{why}"


@dataclass(frozen=True)
class Lessons:
    """All that is remembered of the runs up to `number`. Its size does not grow with them.

    `near` failed by the least, measured from the best of this moment.
    """

    number: int = 0
    commit: str = ""
    best_value: float | None = None
    baseline: tuple[float, ...] = ()
    gains: tuple[Idea, ...] = ()
    near: tuple[Idea, ...] = ()
    recent: tuple[Idea, ...] = ()

    def after(self, entry: Entry, tail: Tail = no_tail) -> Lessons:
        """The memory with one more run."""
        now = replace(self, number=entry.number, commit=entry.commit)
        if entry.is_baseline:
            values = tuple(each.value for each in entry.measurements if each.value is not None)
            return replace(now, best_value=entry.best_value, baseline=values or self.baseline)
        if entry.improved:
            gains = (*self.gains, idea_of(entry, tail))[-GAINS:]
            recent = self.ideas_without(crash_fixed_by(entry))
            return replace(now, best_value=entry.best_value, gains=gains, recent=recent)
        if entry.status in NOT_AN_IDEA:
            return now
        return now.with_abandoned(entry) if not entry.has_proposal else now.with_failed(entry, idea_of(entry, tail))

    def with_failed(self, entry: Entry, idea: Idea) -> Lessons:
        """Remembers a failure. A fix takes the place of what it was to fix, and its name if the idea is the same."""
        first = crash_fixed_by(entry)
        was = next((each for each in self.recent if each.run_id == first), None)
        if was is not None and (entry.status == "crash" or entry.reworks):
            idea = replace(idea, note=was.note, change=was.change)
        recent = (*self.ideas_without(first), idea)[-RECENT:]
        if idea.value is None:
            return replace(self, recent=recent)
        near = tuple(sorted((*self.near, idea), key=self.distance)[:NEAR])
        return replace(self, recent=recent, near=near)

    def with_abandoned(self, entry: Entry) -> Lessons:
        """Marks the crashed run that this one left as it was: its idea is not tried again."""
        run = crash_fixed_by(entry)
        recent = (replace(each, outcome="abandoned") if each.run_id == run else each for each in self.recent)
        return replace(self, recent=tuple(recent))

    def ideas_without(self, run: str) -> tuple[Idea, ...]:
        return tuple(each for each in self.recent if each.run_id != run)

    def without(self, runs: Collection[str]) -> Lessons:
        """The memory as if these runs had not failed."""
        near = tuple(each for each in self.near if each.run_id not in runs)
        return replace(self, near=near, recent=tuple(each for each in self.recent if each.run_id not in runs))

    def distance(self, idea: Idea) -> tuple[float, str]:
        assert idea.value is not None
        return abs(idea.value - (self.best_value or 0.0)), idea.run_id


def crash_fixed_by(entry: Entry) -> str:
    """The crashed run that this one was to fix; '' for an idea of its own."""
    return str(entry.proposal.get("fixes") or "")


def idea_of(entry: Entry, tail: Tail = no_tail) -> Idea:
    return Idea(
        run_id=entry.run_id,
        note=one_line(entry.note, NOTE),
        change=one_line(str(entry.proposal.get("change") or ""), CHANGE),
        outcome=outcome_of(entry),
        why=one_line(why_of(entry, tail), WHY),
        value=entry.value,
    )


def outcome_of(entry: Entry) -> str:
    """In a word or two how it ended."""
    if entry.improved:
        return "kept"
    if entry.status == "crash" and crash_fixed_by(entry) and not entry.reworks:
        return f"abandoned, it crashed in {crash_fixed_by(entry)} as well"
    if entry.is_stopped_early:
        return "no gain"
    if entry.status != "ok":
        return {"invalid": "no number", "violation": "not allowed"}.get(entry.status, entry.status)
    if not entry.valid:
        return "not allowed"
    return "within the noise" if entry.judgement.get("test") else "no gain"


def why_of(entry: Entry, tail: Tail) -> str:
    """The reason, if it says more than the outcome; before it the exception of a crash, or the test of a guard."""
    if entry.status != "crash" and not entry.failed_guard:
        return "" if PLAIN.match(entry.reason) else entry.reason
    lines = [line.strip() for line in tail(entry).splitlines()]
    named = [line for line in lines if TEST.match(line)] if entry.failed_guard else []
    named = named or [line for line in lines if RAISED.match(line)][-1:]
    return f"{named[0]} ({entry.reason})" if named and named[0] not in entry.reason else entry.reason


def lessons_of(entries: Iterable[Entry], tail: Tail = no_tail) -> Lessons:
    memory = Lessons()
    for entry in entries:
        memory = memory.after(entry, tail)
    return memory


def ideas_text(entries: Iterable[Entry], most_bytes: int = MOST_BYTES) -> str:
    """The ideas that failed, as text of at most about 4 kB: what came nearest, then the newest."""
    return text_of(lessons_of(entries), most_bytes)


def text_of(memory: Lessons, most_bytes: int = MOST_BYTES) -> str:
    near = lines_within((each.line for each in memory.near), min(NEAR_BYTES, most_bytes // 3))
    shown = {line.split(" ", 1)[0] for line in near}
    newest = (each.line for each in reversed(memory.recent) if each.run_id not in shown)
    head_near, head_new = "Came nearest:", "Newest first:"
    left = most_bytes - size([head_near, head_new, *near])
    rest = lines_within(newest, left)
    rows = [*([head_near, *near] if near else []), *([head_new, *rest] if rest else [])]
    return "\n".join(rows) + "\n" if rows else ""


def lines_within(lines: Iterable[str], most_bytes: int) -> list[str]:
    """The first lines that fit into so many bytes."""
    found: list[str] = []
    for line in lines:
        most_bytes -= size([line])
        if most_bytes < 0:
            break
        found.append(line)
    return found


def size(lines: Iterable[str]) -> int:
    return sum(len(line.encode("utf-8", "replace")) + 1 for line in lines)


KEPT = 128  # proposals of several threads ask for somewhat older ones as well


@dataclass
class LessonStore:
    """The last memories of one experiment, by the number of runs they hold. Threads share it."""

    known: OrderedDict[int, Lessons] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def at(self, view: View) -> Lessons:
        """What was learned from exactly the runs that the view may know, whatever has happened since."""
        if not view.entries:
            return Lessons()
        with self.lock:
            memory = self.nearest_lessons(view.home, view.entries)
            new = [entry for entry in view.entries if entry.number > memory.number]
            for entry in new:
                memory = memory.after(entry, view.tail)
                self.known[memory.number] = memory
                if len(self.known) > KEPT:
                    self.known.popitem(last=False)
            if new:
                write_atomic(state_file(view.home), encode(memory), durable=False)
            return memory

    def nearest_lessons(self, home: Home, entries: Sequence[Entry]) -> Lessons:
        """The newest memory that these runs follow from: our own, the one on disk, or that of the ledger itself."""
        commits = {entry.number: entry.commit for entry in entries}
        for number in range(entries[-1].number, entries[0].number - 1, -1):
            if number in self.known and self.known[number].commit == commits[number]:
                return self.known[number]
        stored = read_as(state_file(home), Lessons)
        if stored and commits.get(stored.number) == stored.commit:
            return stored
        return earlier_lessons(home, entries[0].number)


def earlier_lessons(home: Home, number: int) -> Lessons:
    """The memory of all runs before this one; of these, crashes keep their exit code alone."""
    before = takewhile(lambda entry: entry.number < number, entries_of(home.ledger) if number > 1 else ())
    return lessons_of(before)


def state_file(home: Home) -> Path:
    """May be deleted."""
    return home.root / "state" / "ideas.json"
