"""What an agent does, one readable line an event, in a file that grows no further than one can read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flagstone.agents.protocol import Event
from flagstone.processes import CappedFile, Redactor
from flagstone.records import utc

LARGEST = 5_000_000


@contextmanager
def open_event_log(path: Path) -> Iterator[Callable[[Event], None]]:
    """Opens the file for the events of one call. If it grows too large, its middle is left out."""
    log = CappedFile(path, LARGEST, Redactor({}), is_continued=True)  # events are redacted already
    try:
        yield lambda event: log.write(f"{utc(time.time())} {event.kind:<8} {event.text}\n".encode("utf-8", "replace"))
    finally:
        log.close()
