"""The ledger of one experiment: one line a run, and whether anybody else wrote into it."""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.ledger.progress import Progress
from flagstone.plans import Home, command_of, run_id
from flagstone.records import ZERO, Ledger, digest_bytes, last_line, mark_of, parsed_object, read_record, write_record

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
    fault: str = ""

    @classmethod
    def read(cls, home: Home) -> History:
        """From the ledger: quickly, where what was remembered of it still holds, or else line by line."""
        found = cls(home)
        found.mark = mark_of(home.ledger)
        found.progress, start, before = remembered(home)
        if start:
            found.recent.extend(tail_entries(home.ledger, RECENT))
        for raw in lines_of(home.ledger, start):
            record = parsed_object(raw)
            if record is not None and record.get("before") != before:
                found.fault = found.fault or f"{home.ledger} was changed before its line of {record.get('run_id')}"
            before, entry = digest_bytes(raw.rstrip(b"\n")), record and entry_of_record(record)
            if entry:
                found.progress = found.progress.after(entry)
                found.unremembered += 1
                if not start:
                    found.recent.append(entry)
        return found

    def refuse_if_broken(self) -> None:
        """Nothing goes on from a ledger that somebody rewrote, or that is gone."""
        if self.fault:
            raise FlagstoneError(
                self.fault,
                hint=f"put back the ledger you have a copy of, or begin anew (all of this is kept): {self.anew}",
            )
        if not self.progress.number and self.home.run(run_id(1)).result.exists():
            raise FlagstoneError(
                f"{self.home.ledger} is gone, and runs/ holds what it told of",
                hint=f"put it back, or begin anew (all of this is kept): {self.anew}",
            )

    @property
    def anew(self) -> str:
        return f"{command_of(self.home, 'run')} --fresh"

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
                hint=f"look at it ({command_of(self.home, 'status')}) and put it back before you go on",
            )


def state_file(home: Home) -> Path:
    return home.root / "state" / "progress.json"


def remembered(home: Home) -> tuple[Progress, int, str]:
    """What was remembered of a ledger, where that ends, and the digest of the line there; nothing where it went on
    from somewhere else."""
    record = read_record(state_file(home)) or {}
    try:
        size, digest, torn = record["mark"]
        with open(home.ledger, "rb") as stream:
            if torn or os.fstat(stream.fileno()).st_size < size or digest_bytes(last_line(stream, size)[0]) != digest:
                return Progress(), 0, ZERO
        return Progress.from_record(record["progress"]), size, digest
    except (OSError, KeyError, TypeError, ValueError):
        return Progress(), 0, ZERO


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
    return (entry for entry in map(entry_in, lines_of(path, start)) if entry is not None)


def lines_of(path: Path, start: int = 0) -> Iterator[bytes]:
    try:
        stream = open(path, "rb")  # noqa: SIM115  closed below, when the last line was taken
    except OSError:
        return
    with stream:
        stream.seek(start)
        yield from (raw for raw in stream if raw != b"\n")


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
    record = parsed_object(raw)
    return entry_of_record(record) if record is not None else None


def entry_of_record(record: Mapping[str, Any]) -> Entry | None:
    try:
        return Entry.from_record(record)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


# the keys of a line are sorted, and no other key of it comes before this one
FIRST = b'{"before":"'
DIGEST = slice(len(FIRST), len(FIRST) + 64)
MOST = 3


def ledger_problems(path: Path) -> list[str]:
    """What is wrong with a ledger, in words: changed, lost or unreadable lines; not a last one that a kill cut off."""
    found: list[str] = []
    before = ZERO.encode()
    try:
        stream = open(path, "rb")  # noqa: SIM115  closed below
    except OSError:
        return found
    with stream:
        for number, raw in enumerate(stream, 1):
            is_cut_off = not raw.endswith(b"\n")
            line = raw.rstrip(b"\n")
            if not line:
                continue
            is_ours = line.startswith(FIRST) and line.endswith(b"}")
            told = line[DIGEST] if is_ours else told_slowly(line)
            if told is None and not is_cut_off:
                found.append(f"line {number} of the ledger cannot be read and is passed over")
            elif told != before and not is_cut_off:
                found.append(f"line {number} of the ledger does not follow from the line before it")
            before = hashlib.sha256(line).hexdigest().encode()
    more = len(found) - MOST
    return [*found[:MOST], *([f"and {more} more lines like these"] if more > 0 else [])]


def told_slowly(line: bytes) -> bytes | None:
    """The digest in a line of another form; None where there is none."""
    try:
        return str(json.loads(line)["before"]).encode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
