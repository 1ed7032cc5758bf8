"""Everything a child has started, however far it moved away, and the end of it."""

from __future__ import annotations

import binascii
import os
import select
import signal
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from flagstone.processes.proc import content_of, entry_of, process_table

MARK = "FLAGSTONE_PROCESS"
ASK_S = 1.0
KILL_S = 3.0
NOBODY = -1


@dataclass(frozen=True)
class Survivor:
    """A process that is known by its start time too, because numbers are used again."""

    pid: int
    started_ticks: int


@dataclass(frozen=True)
class ProcessTree:
    """How to recognise what belongs to a child: its number, its marks, and when it started.

    The mark in the environment holds those of all runs around it, but may be cleared; the tag is the innermost run's.
    """

    root: int
    mark: str
    since_ticks: int
    tags: range = range(0)

    def members(self) -> tuple[Survivor, ...]:
        """All processes of the tree that are alive, including the root."""
        table = {entry.pid: entry for entry in process_table(self.since_ticks, self.root)}
        table.pop(os.getpid(), None)  # it may carry a tag, while it starts a child
        own = {pid for pid, entry in table.items() if self.root in (pid, entry.group, entry.session)}
        own |= {pid for pid in table.keys() - own if self.has_marked(pid)}
        while grown := {pid for pid, entry in table.items() if entry.parent in own} - own:
            own |= grown
        return tuple(Survivor(pid, table[pid].started_ticks) for pid in sorted(own) if not table[pid].is_dead)

    def has_marked(self, pid: int) -> bool:
        return tag_of(pid) in self.tags or self.mark.encode() in environment_of(pid)

    def end(self, *, is_urgent: bool = False) -> tuple[Survivor, ...]:
        """Ends what is left of the tree and returns what could not be ended."""
        give_up, is_asked = time.monotonic() + ASK_S + KILL_S, is_urgent
        while (left := self.members()) and time.monotonic() < give_up:
            # again and again: between looking and killing a new one may have been started
            signal_all(left, signal.SIGKILL if is_asked else signal.SIGTERM)
            still_there = wait_for(left, give_up - time.monotonic() if is_asked else ASK_S)
            if is_asked and still_there == left:
                break
            is_asked = True
        return left


def end_orphans(owner: str) -> tuple[Survivor, ...]:
    """Ends what an earlier life started for this owner and returns what could not be ended.

    The caller holds the owner's lock: what a living process started would be ended as well.
    """
    tree = ProcessTree(root=NOBODY, mark=f":{owner}//", since_ticks=0, tags=tags_of(owner))
    return tree.end() if owner else ()


def still_alive(survivors: Iterable[Survivor]) -> tuple[Survivor, ...]:
    """Those that still run: same number and same start."""
    return tuple(survivor for survivor in survivors if is_alive(survivor))


def is_alive(survivor: Survivor) -> bool:
    entry = entry_of(survivor.pid)
    return entry is not None and not entry.is_dead and entry.started_ticks == survivor.started_ticks


def is_started_by_us(environ: Mapping[str, str]) -> bool:
    """Whether a process with this environment was started by Flagstone, such as an agent or what an agent starts."""
    return MARK in environ


def environment_of(pid: int) -> bytes:
    """The mark in the environment of a process. Empty if there is none, or it cannot be read."""
    for variable in content_of(f"/proc/{pid}/environ").split(b"\0"):
        if variable.startswith(MARK.encode() + b"="):
            return variable
    return b""


def signal_all(processes: Iterable[Survivor], number: signal.Signals) -> None:
    for process in processes:
        try:
            handle = os.pidfd_open(process.pid)
        except OSError:
            continue
        try:
            # the handle is fixed now: what it names cannot become another process any more
            if is_alive(process):
                signal.pidfd_send_signal(handle, number)
        except OSError:
            continue
        finally:
            os.close(handle)


def wait_for(processes: Iterable[Survivor], limit_s: float) -> tuple[Survivor, ...]:
    """Waits until all have ended, or the time is over; returns those that have not."""
    end = time.monotonic() + limit_s
    with ExitStack() as opened:
        poll, waiting = select.poll(), {}
        for process in processes:
            try:
                handle = os.pidfd_open(process.pid)
            except OSError:
                continue
            opened.callback(os.close, handle)
            poll.register(handle, select.POLLIN)
            waiting[handle] = process
        while waiting and (left_s := end - time.monotonic()) > 0:
            for handle, _ in poll.poll(left_s * 1000 + 1):
                poll.unregister(handle)
                del waiting[handle]
        return still_alive(waiting.values())


FILE_LOCKS = 10  # RLIMIT_LOCKS, which Python has no name for
ROW = b"Max file locks"
RUN_BITS = 30
NOBODYS = 1 << 62
UNMARKED = -1


def new_tag(owner: str) -> int:
    """The number of one run: the owner's, followed by one of its own."""
    number = int.from_bytes(os.urandom(8), "big")
    return tags_of(owner).start + number % (1 << RUN_BITS) if owner else NOBODYS + number % NOBODYS


def tags_of(owner: str) -> range:
    """The numbers of all runs of one owner, also of those in an earlier life."""
    first = binascii.crc32(owner.encode()) << RUN_BITS
    return range(first, first + (1 << RUN_BITS)) if owner else range(0)


def set_tag(tag: int) -> None:
    """Marks this process and all it will ever start. Where an administrator set a lower limit, nothing is marked."""
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(FILE_LOCKS, (tag, resource.getrlimit(FILE_LOCKS)[1]))


def tag_of(pid: int) -> int:
    """What a process was marked with; -1 for nothing: a range is asked for numbers only, anything else it searches."""
    _, _, rest = content_of(f"/proc/{pid}/limits").partition(ROW)
    word = rest.split(None, 1)[:1]
    return int(word[0]) if word and word[0].isdigit() else UNMARKED
