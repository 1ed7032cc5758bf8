"""The memory of failed ideas as a proposal may know it: folded run by run, and never over all of them again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.loop.entry import Entry
from flagstone.loop.home import Home
from flagstone.loop.ideas import Memory
from flagstone.loop.ledger import entries_of
from flagstone.loop.proposal import View
from flagstone.records import read_record, write_record

KEPT = 128  # proposals of several threads ask for somewhat older ones as well


@dataclass
class Remembered:
    """The last memories of one experiment, by the number of runs they hold. Threads share it."""

    known: OrderedDict[int, Memory] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def at(self, view: View) -> Memory:
        """What was learned from exactly the runs that the view may know, whatever has happened since."""
        if not view.entries:
            return Memory()
        with self.lock:
            memory = self.nearest(view.home, view.entries)
            new = [entry for entry in view.entries if entry.number > memory.number]
            for entry in new:
                memory = memory.after(entry, view.tail)
                self.keep(memory)
            if new:
                write_record(state_file(view.home), memory.to_record(), durable=False)
            return memory

    def keep(self, memory: Memory) -> None:
        self.known[memory.number] = memory
        while len(self.known) > KEPT:
            self.known.popitem(last=False)

    def nearest(self, home: Home, entries: Sequence[Entry]) -> Memory:
        """The newest memory that these runs follow from: our own, the one on disk, or that of the ledger itself."""
        commits = {entry.number: entry.commit for entry in entries}
        for number in range(entries[-1].number, entries[0].number - 1, -1):
            if number in self.known and self.known[number].commit == commits[number]:
                return self.known[number]
        stored = stored_memory(home)
        if stored and commits.get(stored.number) == stored.commit:
            return stored
        return earlier(home, entries[0].number)


def earlier(home: Home, number: int) -> Memory:
    """The memory of all runs before this one; of these, crashes keep their exit code alone."""
    memory = Memory()
    for entry in entries_of(home.ledger) if number > 1 else ():
        if entry.number >= number:
            break
        memory = memory.after(entry)
    return memory


def state_file(home: Home) -> Path:
    """May be deleted."""
    return home.root / "state" / "ideas.json"


def stored_memory(home: Home) -> Memory | None:
    record = read_record(state_file(home))
    try:
        return Memory.from_record(record) if record else None
    except (KeyError, TypeError):
        return None
