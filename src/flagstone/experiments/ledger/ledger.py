"""The ledger of one experiment: one line a run, and whether anybody else wrote into it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.experiments.ledger.entry import Entry, LedgerRow
from flagstone.experiments.ledger.progress import Progress
from flagstone.plans import Home, Spec, command_of, run_id
from flagstone.records import (
    ZERO,
    Ledger,
    decode_or_none,
    digest_bytes,
    encode,
    last_line,
    last_lines,
    mark_of,
    read_as,
    write_atomic,
)

RECENT = 200
REMEMBER_EVERY = 32
FORM = 4  # what an earlier version remembered lacks some of what is needed now, and is not believed


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
        """Reads the ledger: only its end if what is remembered of it still holds, otherwise line by line."""
        found = cls(home)
        found.mark = mark_of(home.ledger)
        known = read_state(home)
        found.progress, (start, before, _) = known.progress, known.head
        if start:
            found.recent.extend(tail_entries(home.ledger, RECENT))
        for line in Ledger(home.ledger).lines(start, before):
            entry = decode_or_none(line.raw, Entry)
            if line.is_broken:
                of = entry.run_id if entry else "no run"
                found.fault = found.fault or f"{home.ledger} was changed before its line of {of}"
            if entry:
                found.progress = found.progress.after(entry)
                found.unremembered += 1
                if not start:
                    found.recent.append(entry)
        return found

    def reason_to_end(self, spec: Spec) -> str:
        """A condition that ends the experiment now, or "manual" if a person stopped it. Returns '' if it goes on."""
        if self.home.stop.exists():
            return "manual"
        if self.progress.best is None:
            return ""  # without one that ran there is nothing to end with: it is tried again, and said what is wrong
        return self.progress.reason_to_end(spec)

    def refuse_if_broken(self) -> None:
        """Raises an error if the ledger was rewritten or is missing: no run may follow on it."""
        if self.fault:
            raise FlagstoneError(
                self.fault,
                hint=f"restore the ledger from a copy, or start over (everything is kept): {self.fresh_command}",
            )
        if not self.progress.number and self.home.run(run_id(1)).result.exists():
            raise FlagstoneError(
                f"{self.home.ledger} is missing, but runs/ contains runs",
                hint=f"restore it, or start over (everything is kept): {self.fresh_command}",
            )

    @property
    def fresh_command(self) -> str:
        return f"{command_of(self.home, 'run')} --fresh"

    def count_anew(self) -> None:
        """A person has seen that nothing was proposed, or that all failed. This holds for the next process too."""
        self.progress = replace(self.progress, idle=0, failures=0)
        self.remember()

    def append(self, entry: Entry) -> None:
        """Durable when this returns: this line is the verdict."""
        self.refuse_strangers()
        Ledger(self.home.ledger).append(entry)
        self.mark = mark_of(self.home.ledger)
        self.progress = self.progress.after(entry)
        self.recent.append(entry)
        self.unremembered += 1
        if self.unremembered >= REMEMBER_EVERY:
            self.remember()

    def remember(self) -> None:
        """Spares the next process from reading the whole ledger; may be lost."""
        state = Remembered(head_of(self.home.ledger), self.progress, FORM)
        write_atomic(state_file(self.home), encode(state), durable=False)
        self.unremembered = 0

    def refuse_strangers(self) -> None:
        """Halts if the ledger is not as we left it."""
        if mark_of(self.home.ledger) != self.mark:
            raise WorkFailed(
                f"another process wrote to {self.home.ledger} during a run",
                hint=f"look at it ({command_of(self.home, 'status')}) and restore it before you continue",
            )


def state_file(home: Home) -> Path:
    return home.root / "state" / "progress.json"


Head = tuple[int, str, bool]  # a ledger's size, the digest of its last line, whether a kill cut that off


@dataclass(frozen=True)
class Remembered:
    """What follows from a ledger up to its head."""

    head: Head
    progress: Progress
    form: int = 0


def read_state(home: Home) -> Remembered:
    """What is remembered of a ledger. Returns what an empty one comes to if the ledger is not what it was."""
    found = read_as(state_file(home), Remembered)
    try:
        with open(home.ledger, "rb") as stream:
            if found and found.form == FORM and not found.head[2] and head_in(stream, found.head[0]) == found.head:
                return found
    except OSError:
        pass
    return Remembered((0, ZERO, False), Progress())


def head_of(path: Path, size: int | None = None) -> Head:
    """Identifies the whole ledger, or its first `size` bytes: a change of any line changes this."""
    try:
        with open(path, "rb") as stream:
            return head_in(stream, stream.seek(0, os.SEEK_END) if size is None else size)
    except OSError:
        return 0, ZERO, False


def head_in(stream: BinaryIO, size: int) -> Head:
    line, is_torn = last_line(stream, size)
    return size, digest_bytes(line), is_torn


def entries_of(path: Path) -> Iterator[Entry]:
    """Every run of a ledger, one at a time; a line that cannot be read is passed over."""
    return Ledger(path).read(Entry)


def rows_of(path: Path) -> Iterator[LedgerRow]:
    """The same in half the time, without what was measured."""
    return Ledger(path).read(LedgerRow)


def find_entry(path: Path, run_id: str) -> Entry | None:
    """The line about one run. Returns None if there is none."""
    wanted = b'"run_id":"%b"' % run_id.encode("utf-8", "replace")
    found = (decode_or_none(raw, Entry) for raw in Ledger(path).raw_lines() if wanted in raw)
    return next((entry for entry in found if entry and entry.run_id == run_id), None)


def tail_entries(path: Path, count: int) -> list[Entry]:
    """The last runs of a ledger, read from its end."""
    try:
        with open(path, "rb") as stream:
            lines = last_lines(stream, count)
    except OSError:
        return []
    found = [entry for raw in lines[-count - 1 :] if (entry := decode_or_none(raw, Entry))]
    return found[max(0, len(found) - count) :]


MOST_PROBLEMS = 3


def ledger_problems(path: Path) -> list[str]:
    """What is wrong with a ledger, in words: changed, lost or unreadable lines; not a last one that a kill cut off."""
    found = Ledger(path).problems(may_be_cut=True)
    more = len(found) - MOST_PROBLEMS
    return [*found[:MOST_PROBLEMS], *([f"and {more} more lines like these"] if more > 0 else [])]
