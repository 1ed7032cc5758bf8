"""A running child: its number, our ends of its pipes, and what of it is not its own."""

from __future__ import annotations

import os
from dataclasses import dataclass

from flagstone.processes.proc import children_of
from flagstone.processes.tree import Tree


@dataclass(frozen=True)
class Child:
    """A running child. `stdin` and `stderr` are None if there is no pipe.

    `began` is taken before the fork: whoever looks at the clock afterwards, on a busy machine, finds a child shorter
    than it was. `argv` is all that was executed; the last `own_words` of it are what was asked for, and the rest is
    wrapped round it. `ours_mb` is what we had in memory when it began; a function keeps `inherited_mb` of it.
    """

    pid: int
    pidfd: int
    tree: Tree
    stdin: int | None
    stdout: int
    stderr: int | None
    began: float
    argv: tuple[str, ...]
    own_words: int
    ours_mb: float
    inherited_mb: float

    @property
    def is_wrapped(self) -> bool:
        """Whether bubblewrap is around it: then the kernel tells us of bubblewrap, when we wait for the child."""
        return len(self.argv) > self.own_words

    def bubblewrap_pids(self) -> set[int]:
        """The processes of bubblewrap itself: one outside and one within its view."""
        return {self.pid, *children_of(self.pid, self.pid)} if self.is_wrapped else set()

    def is_launcher(self, command_line: bytes) -> bool:
        """Whether a process is still one of those that lead to the program, judged by its command line."""
        whole, own = words(self.argv), words(self.argv[-self.own_words :])
        return not command_line or (len(command_line) > len(own) and whole.endswith(command_line))


def words(argv: tuple[str, ...]) -> bytes:
    """As the kernel shows them."""
    return b"".join(os.fsencode(word) + b"\0" for word in argv)
