"""The end of the log of a run: of the measurement that its status comes from, which may be a repeat."""

from __future__ import annotations

from flagstone.loop.derived import telling
from flagstone.loop.entry import Entry
from flagstone.loop.home import Home
from flagstone.loop.tailing import tail_text


def tail_of(home: Home, entry: Entry, lines: int = 80) -> str:
    """Nothing where there is no log: what never started has written none, and its reason says all there is."""
    told = telling(entry)
    log = home.root / told.log if told and told.log else home.run(entry.run_id).log
    return tail_text(log, lines) if log.exists() else ""
