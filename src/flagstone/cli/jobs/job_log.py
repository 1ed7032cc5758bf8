"""What a job of Snakemake says: live on the terminal, and into the rule's log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flagstone.errors import WorkFailed
from flagstone.processes import CappedFile, Redactor

LARGEST = 5_000_000  # of what one job adds


@contextmanager
def aloud(path: Path) -> Iterator[Callable[[str], None]]:
    """A voice for both, each line with its time; of a log that is too long the beginning and the end are kept."""
    log = CappedFile(path, LARGEST, Redactor({}), is_continued=True)

    def say(line: str) -> None:
        told = f"{time.strftime('%H:%M:%S')} {line}\n"
        # a full disk: what cannot be logged is still worked on, or fails by itself
        with suppress(OSError):
            sys.stderr.write(told)
            sys.stderr.flush()
        with suppress(WorkFailed):
            log.write(told.encode("utf-8", "replace"))

    try:
        yield say
    finally:
        with suppress(WorkFailed):
            log.close()
