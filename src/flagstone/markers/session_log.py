"""Keeps what a session says: a file for each session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flagstone.markers.folder import MarkerFolder
from flagstone.markers.naming import naming_marker
from flagstone.records import utc


def session_logs(folder: MarkerFolder) -> list[Path]:
    """The log of every session, the oldest first."""
    return sorted(folder.logs.glob("[0-9]*.log"), key=lambda path: (len(path.name), path.name))


@contextmanager
def keep_lines(folder: MarkerFolder, say: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    """Adds what is said to a new log, and how the session ended. The caller holds the marker's lock."""
    earlier = session_logs(folder)
    path = folder.logs / f"{int(earlier[-1].stem) + 1 if earlier else 1:04}.log"
    path.parent.mkdir(exist_ok=True)
    with open(path, "x", encoding="utf-8", errors="replace") as stream:

        def write(line: str) -> None:
            # the ledger has every run: a session does not end because its log has no room
            with suppress(OSError):
                stream.write(f"{utc(time.time())} {line}\n")
                stream.flush()

        def say_and_write(line: str) -> None:
            words = naming_marker(line)
            write(words)
            say(words)

        write("the session begins")
        try:
            yield say_and_write
        except BaseException as error:
            write(naming_marker(str(error)) or type(error).__name__)
            raise
        write("the session has ended")
