"""Runs a function in a process of its own that goes on when we end, however we end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from flagstone.processes.fork import exit_code_of

Tell = Callable[[str], None]
TOLD = 3  # the handle on which the function tells us its first words
ALL_HANDLES = 1 << 20


def start_detached(work: Callable[[Tell], int], output: Path) -> str:
    """Starts the function, which may tell us something once. Returns that, or "" if it ended without.

    Whoever ends us with our group, our session or all our children does not end it. What it prints goes to a file.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        detach(work, output, writer)
    os.close(writer)
    os.waitpid(pid, 0)
    with os.fdopen(reader, encoding="utf-8") as stream:
        return stream.read()


def detach(work: Callable[[Tell], int], output: Path, writer: int) -> NoReturn:
    """The child's side. It exits at once, so that the process it starts has no parent of ours."""
    status = 1
    try:
        os.setsid()
        if os.fork() == 0:
            use_own_handles(output, writer)
            status = exit_code_of(lambda: work(tell), dict(os.environ))
    finally:
        os._exit(status)


def use_own_handles(output: Path, writer: int) -> None:
    """Lets go of every handle of our caller: who waits for the end of its output must not wait for us."""
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    for handle, target in ((os.open(os.devnull, os.O_RDONLY), 0), (written, 1), (written, 2), (writer, TOLD)):
        os.dup2(handle, target)
    os.closerange(TOLD + 1, ALL_HANDLES)


def tell(words: str) -> None:
    os.write(TOLD, words.encode())
    os.close(TOLD)
