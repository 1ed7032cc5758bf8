"""The ledger of one experiment: one line a run, and whether anybody else wrote into it."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.errors import WorkFailed
from flagstone.loop.entry import Entry
from flagstone.loop.home import Home
from flagstone.loop.progress import Progress
from flagstone.records import Ledger, digest_bytes, last_line, mark_of, read_record, write_record

RECENT = 200
REMEMBER_EVERY = 32
BLOCK = 1 << 16


@dataclass
class History:
    """The ledger as the engine holds it: the whole of it folded, the last lines as they are."""

    home: Home
    progress: Progress = field(default_factory=Progress)
    recent: deque[Entry] = field(default_factory=lambda: deque(maxlen=RECENT))
    mark: list[int] = field(default_factory=list)
    unremembered: int = 0

    @classmethod
    def read(cls, home: Home) -> History:
        """From the ledger: quickly, where what was remembered of it still holds, or else line by line."""
        found = cls(home)
        found.mark = mark_of(home.ledger)
        found.progress, start = remembered(home)
        if start:
            found.recent.extend(tail_entries(home.ledger, RECENT))
        for entry in entries_of(home.ledger, start):
            found.progress = found.progress.after(entry)
            if not start:
                found.recent.append(entry)
            found.unremembered += 1
        return found

    def append(self, entry: Entry) -> None:
        """Durable when this returns: this line is the verdict."""
        self.refuse_strangers()
        Ledger(self.home.ledger).append(entry.to_record())
        self.mark = mark_of(self.home.ledger)
        self.progress = self.progress.after(entry)
        self.recent.append(entry)
        self.unremembered += 1
        if self.unremembered >= REMEMBER_EVERY:
            self.remember()

    def remember(self) -> None:
        """Spares the next process from reading the whole ledger; may be lost."""
        told = {"mark": head_of(self.home.ledger), "progress": self.progress.to_record()}
        write_record(state_file(self.home), told, durable=False)
        self.unremembered = 0

    def refuse_strangers(self) -> None:
        """Halts where the ledger is not as we left it."""
        if mark_of(self.home.ledger) != self.mark:
            raise WorkFailed(
                f"{self.home.ledger} was written to by somebody else while a run was under way",
                hint=f"look at it (flagstone experiment status {self.home.name}) and put it back before you go on",
            )


def state_file(home: Home) -> Path:
    return home.root / "state" / "progress.json"


def remembered(home: Home) -> tuple[Progress, int]:
    """What was remembered of a ledger, and where that ends; nothing where the ledger does not go on from there."""
    record = read_record(state_file(home)) or {}
    try:
        size, digest, torn = record["mark"]
        with open(home.ledger, "rb") as stream:
            if torn or os.fstat(stream.fileno()).st_size < size or digest_bytes(last_line(stream, size)[0]) != digest:
                return Progress(), 0
        return Progress.from_record(record["progress"]), size
    except (OSError, KeyError, TypeError, ValueError):
        return Progress(), 0


def head_of(path: Path) -> list[Any]:
    """The size of a ledger and the digest of its last line: together they stand for all of it."""
    try:
        with open(path, "rb") as stream:
            line, torn = last_line(stream)
            return [stream.tell(), digest_bytes(line), torn]
    except OSError:
        return []


def entries_of(path: Path, start: int = 0) -> Iterator[Entry]:
    """Every run of a ledger, or of its end, one at a time; a line that cannot be read is passed over."""
    try:
        stream = open(path, "rb")  # noqa: SIM115  closed below, when the last line was taken
    except OSError:
        return
    with stream:
        stream.seek(start)
        for raw in stream:
            entry = entry_in(raw)
            if entry is not None:
                yield entry


def tail_entries(path: Path, count: int) -> list[Entry]:
    """The last runs of a ledger, read from its end."""
    try:
        with open(path, "rb") as stream:
            position, tail = stream.seek(0, os.SEEK_END), b""
            while position > 0 and tail.count(b"\n") <= count:
                step = min(BLOCK, position)
                position -= step
                stream.seek(position)
                tail = stream.read(step) + tail
    except OSError:
        return []
    lines = tail.split(b"\n")[0 if position == 0 else 1 :]
    return [entry for entry in map(entry_in, lines[-count - 1 :]) if entry is not None]


def entry_in(raw: bytes) -> Entry | None:
    """The run a line tells of; None where it is torn or tells of something else."""
    try:
        return Entry.from_record(json.loads(raw))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
