"""Writes the output of a Snakemake job to the terminal and to the rule's log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flagstone.errors import WorkFailed
from flagstone.processes import CappedFile, Redactor

LARGEST = 5_000_000  # bytes that one job may add


@contextmanager
def open_job_log(path: Path) -> Iterator[Callable[[str], None]]:
    """Yields a function that writes a line, with its time, to both. A log that is too long keeps beginning and end."""
    log = CappedFile(path, LARGEST, Redactor({}), is_continued=True)

    def say(line: str) -> None:
        entry = f"{time.strftime('%H:%M:%S')} {line}\n"
        # on a full disk the job still goes on, or fails by itself
        with suppress(OSError):
            sys.stderr.write(entry)
            sys.stderr.flush()
        with suppress(WorkFailed):
            log.write(entry.encode("utf-8", "replace"))

    try:
        yield say
    finally:
        with suppress(WorkFailed):
            log.close()
