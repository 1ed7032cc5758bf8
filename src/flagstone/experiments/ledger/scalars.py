"""The loop as TensorBoard shows it: one step a run."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.experiments.ledger.entry import Entry
from flagstone.experiments.ledger.ledger import entries_of
from flagstone.metrics import event_file
from flagstone.plans import Home, Spec
from flagstone.records import cannot_write, seconds_of

CODES: Mapping[str, int] = {"advance": 1, "revert": 0, "invalid": -1, "crash": -2, "timeout": -3, "interrupted": -4}
NAME = "events.out.tfevents.0000000000.flagstone"
APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass
class Scalars:
    """Writes what the ledger says of each run, once; what is missing is taken from the ledger."""

    home: Home
    step: int = field(default=0, init=False)
    size: int = field(default=-1, init=False)

    @property
    def path(self) -> Path:
        return self.home.events / NAME

    def add(self, entry: Entry, spec: Spec) -> None:
        """One more run. Costs the same after 10 000 runs as after one."""
        self.take_up()
        if entry.number <= self.step:
            return
        if entry.number == self.step + 1:
            self.write([entry], spec)
        else:
            missing = (each for each in entries_of(self.home.ledger) if each.number > self.step)
            self.write(list(missing), spec)

    def take_up(self) -> None:
        """Goes on behind the last whole step of the file, whoever wrote it and however it was cut off."""
        try:
            now = os.stat(self.path).st_size
        except FileNotFoundError:
            now = 0
        if now == self.size:
            return
        self.step, self.size = event_file.last_step(self.path)
        if self.size != now:
            with open(self.path, "r+b") as stream:
                stream.truncate(self.size)

    def write(self, entries: list[Entry], spec: Spec) -> None:
        if not entries:
            return
        content = b"".join(event_of(entry, spec) for entry in entries)
        if not self.size:
            content = event_file.first_event(seconds_of(entries[0].ended_at)) + content
        try:
            self.home.events.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, APPEND, 0o644)
            try:
                # one call: a kill leaves all of it or nothing
                if os.write(handle, content) != len(content):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            finally:
                os.close(handle)
        except OSError as error:
            self.size = -1
            raise cannot_write(self.path, error) from error
        self.step, self.size = entries[-1].number, self.size + len(content)


def event_bytes(spec: Spec, entries: Sequence[Entry]) -> bytes:
    """The content that the event file has to have after these runs."""
    events = (event_of(entry, spec) for entry in entries)
    return event_file.whole_file(seconds_of(entries[0].ended_at), events)


def event_of(entry: Entry, spec: Spec) -> bytes:
    """One step: the value of this run, the best after it, and what it took."""
    name = spec.metric.name
    amounts: dict[str, float | None] = {
        f"candidate/{name}": entry.value,
        f"best/{name}": entry.best_value,
        "run/verdict": CODES[entry.verdict],
        "run/wall_s": entry.wall_s,
        "run/peak_rss_mb": entry.first.peak_rss_mb if entry.first else None,
        "run/peak_vram_mb": entry.first.peak_vram_mb if entry.first else None,
        "run/cost_usd": entry.cost_usd,
    }
    values = {tag: float(value) for tag, value in amounts.items() if value is not None}
    return event_file.scalars_event(seconds_of(entry.ended_at), entry.number, values)
