"""A running child: its number, our ends of its pipes, and what of it is not its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from flagstone.processes.proc import Work, children_of, work_of
from flagstone.processes.tree import ProcessTree, Survivor

WorkOfChildren = Mapping[Survivor, Work]
AT_WORK = 0.01  # of one core: less is what a program that waits for something needs


@dataclass(frozen=True)
class Child:
    """A running child. `stdin` and `stderr` are None if there is no pipe; `started` is bubblewrap's, if it is used.

    `began` is taken before the fork: whoever looks at the clock afterwards, on a busy machine, finds a child shorter
    than it was. `argv` is all that was executed; the last `own_words` of it are what was asked for, and the rest is
    wrapped round it. `ours_mb` is what we had in memory when it began; a function keeps `inherited_mb` of it.
    """

    pid: int
    pidfd: int
    tree: ProcessTree
    stdin: int | None
    stdout: int
    stderr: int | None
    started: int | None
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

    def work_of_children(self) -> WorkOfChildren:
        """What everything that the program has started has done so far, without the program itself."""
        around = self.bubblewrap_pids()
        inside = {child for pid in around for child in children_of(pid, pid)}
        return {each: work_of(each.pid) for each in self.tree.members() if each.pid not in {self.pid, *around, *inside}}

    def is_launcher(self, command_line: bytes) -> bool:
        """Whether a process is still one of those that lead to the program, judged by its command line."""
        whole, own = words(self.argv), words(self.argv[-self.own_words :])
        return not command_line or (len(command_line) > len(own) and whole.endswith(command_line))


def has_worked(before: WorkOfChildren, now: WorkOfChildren, seconds: float) -> bool:
    """Whether processes came, wrote to a disk, or used more of a processor than one that waits."""
    if now.keys() - before.keys():
        return True
    has_written = any(now[each].written_bytes > before[each].written_bytes for each in now)
    return has_written or sum(now[each].cpu_s - before[each].cpu_s for each in now) > AT_WORK * seconds


def words(argv: tuple[str, ...]) -> bytes:
    """As the kernel shows them."""
    return b"".join(os.fsencode(word) + b"\0" for word in argv)
