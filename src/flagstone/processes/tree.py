"""Everything a child has started, however far it moved away, and the end of it."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass

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
class Entry:
    """One line of the process table."""

    pid: int
    parent: int
    group: int
    session: int
    started_ticks: int
    is_dead: bool


@dataclass(frozen=True)
class Tree:
    """How to recognise what belongs to a child: its number, its mark, and when it started."""

    root: int
    mark: str
    since_ticks: int

    def members(self) -> tuple[Survivor, ...]:
        """All living processes of the tree, the root included."""
        table = {entry.pid: entry for entry in process_table(self.since_ticks)}
        marked = self.mark.encode()
        own = {pid for pid, entry in table.items() if self.root in (pid, entry.group, entry.session)}
        own |= {pid for pid in table.keys() - own if marked in environment_of(pid)}
        while grown := {pid for pid, entry in table.items() if entry.parent in own} - own:
            own |= grown
        own.discard(os.getpid())
        return tuple(Survivor(pid, table[pid].started_ticks) for pid in sorted(own) if not table[pid].is_dead)

    def end(self) -> tuple[Survivor, ...]:
        """Ends what is left of the tree and returns what could not be ended."""
        left = self.members()
        if left:
            signal_all(left, signal.SIGTERM)
            wait_for(left, ASK_S)
        give_up = time.monotonic() + KILL_S
        while (left := self.members()) and time.monotonic() < give_up:
            # again and again: between looking and killing a new one may have been started
            signal_all(left, signal.SIGKILL)
            if wait_for(left, give_up - time.monotonic()) == left:
                break
        return left


def end_orphans(owner: str) -> tuple[Survivor, ...]:
    """Ends what an earlier life started for this owner and returns what could not be ended.

    The caller holds the owner's lock: what a living process started would be ended as well.
    """
    return Tree(root=NOBODY, mark=f":{owner}//", since_ticks=0).end() if owner else ()


def still_alive(survivors: Iterable[Survivor]) -> tuple[Survivor, ...]:
    """Those that still run: same number and same start."""
    return tuple(survivor for survivor in survivors if is_alive(survivor))


def is_alive(survivor: Survivor) -> bool:
    entry = entry_of(survivor.pid)
    return entry is not None and not entry.is_dead and entry.started_ticks == survivor.started_ticks


def process_table(since_ticks: int) -> list[Entry]:
    """Every process that started then or later."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return []
    entries = (entry_of(int(name)) for name in names if name.isdecimal())
    return [entry for entry in entries if entry is not None and entry.started_ticks >= since_ticks]


def entry_of(pid: int) -> Entry | None:
    content = content_of(f"/proc/{pid}/stat")
    # the name in brackets may hold anything, brackets included
    fields = content[content.rfind(b")") + 2 :].split()
    if len(fields) < 20:
        return None
    parent, group, session = (int(field) for field in fields[1:4])
    return Entry(pid, parent, group, session, int(fields[19]), fields[0] in (b"Z", b"X"))


def environment_of(pid: int) -> bytes:
    """What the environment says of marks; empty where it cannot be read."""
    for variable in content_of(f"/proc/{pid}/environ").split(b"\0"):
        if variable.startswith(MARK.encode() + b"="):
            return variable
    return b""


def content_of(path: str) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        content = b""
        while chunk := os.read(handle, 65_536):
            content += chunk
        return content
    except OSError:
        return b""
    finally:
        os.close(handle)


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
