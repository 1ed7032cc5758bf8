"""What a job of Snakemake says: live on the terminal, and into the rule's log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def aloud(path: Path) -> Iterator[Callable[[str], None]]:
    """A voice for both, each line with its time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8") as log:

        def say(line: str) -> None:
            for stream in (sys.stderr, log):
                with suppress(OSError):  # a full disk: what cannot be logged is still worked on, or fails by itself
                    stream.write(f"{time.strftime('%H:%M:%S')} {line}\n")
                    stream.flush()

        yield say
