"""The kernel's table of processes, read no further than a question needs."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

FORKED_NOT_BEGUN = 0x40  # PF_FORKNOEXEC: the process is a copy and has not become another program
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1_000_000
FEW = 200
THREAD_GROUP = re.compile(rb"^Tgid:\s+(\d+)$", re.MULTILINE)
WRITTEN = re.compile(rb"^write_bytes: (\d+)$", re.MULTILINE)
NUMBERS_PER_S = 1_000_000  # more processes and threads than any machine starts in a second


class ProcessEntry(NamedTuple):
    """One line of the process table."""

    pid: int
    parent: int
    group: int
    session: int
    started_ticks: int
    is_dead: bool
    is_copy: bool
    virtual_bytes: int
    resident_mb: float


class Work(NamedTuple):
    """What a process has done: the time it used, and what it wrote to disks."""

    cpu_s: float
    written_bytes: int


def work_of(pid: int) -> Work:
    fields = content_of(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    written = WRITTEN.search(content_of(f"/proc/{pid}/io"))
    ticks = sum(map(int, fields[11:15]))  # its own, and that of its children which have ended
    return Work(ticks / os.sysconf("SC_CLK_TCK"), int(written[1]) if written else 0)


def process_table(since_ticks: int, first: int = 0) -> list[ProcessEntry]:
    """Every process that started then or later; `first` is the number of one that started just then."""
    entries = (entry_of(pid) for pid in numbers_since(since_ticks, first))
    return [entry for entry in entries if entry is not None and entry.started_ticks >= since_ticks]


def numbers_since(since_ticks: int, first: int) -> Iterable[int]:
    """The numbers of all processes that may have started since, found without opening a file of each."""
    # numbers are given out in order: as long as they cannot have gone round, later ones are higher
    is_young = first > 0 and age_s(since_ticks) * NUMBERS_PER_S < highest_number()
    if is_young and 0 <= latest_number() - first < FEW:
        # a new one that comes meanwhile has a parent among these, and is found by whoever looks again
        return filter(is_process, range(first, latest_number() + 1))
    try:
        pids = [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    except OSError:
        return []
    return [pid for pid in pids if pid >= first] if is_young and latest_number() >= first else pids


def is_process(number: int) -> bool:
    """Whether a number is a process's and not that of one of its threads, which a listing would not show."""
    group = THREAD_GROUP.search(content_of(f"/proc/{number}/status"))
    return group is not None and int(group[1]) == number


def age_s(started_ticks: int) -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / os.sysconf("SC_CLK_TCK")


@cache
def highest_number() -> int:
    content = content_of("/proc/sys/kernel/pid_max")
    return int(content) if content.strip().isdigit() else 0


def latest_number() -> int:
    last = content_of("/proc/loadavg").split()[-1:]
    return int(last[0]) if last and last[0].isdigit() else 0


def entry_of(pid: int) -> ProcessEntry | None:
    content = content_of(f"/proc/{pid}/stat")
    # the name in brackets may hold anything, brackets included
    fields = content[content.rfind(b")") + 2 :].split(None, 22)
    if len(fields) < 22:
        return None
    return ProcessEntry(
        pid,
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        started_ticks=int(fields[19]),
        is_dead=fields[0] in (b"Z", b"X"),
        is_copy=bool(int(fields[6]) & FORKED_NOT_BEGUN),
        virtual_bytes=int(fields[20]),
        resident_mb=int(fields[21]) * PAGE_MB,
    )


def resident_mb(pid: int) -> float:
    """What a process has in memory; 0 if that is unknown."""
    entry = entry_of(pid)
    return entry.resident_mb if entry else 0.0


def children_of(pid: int, thread: int) -> list[int]:
    """What one thread of a process has started and not waited for."""
    return [int(child) for child in content_of(f"/proc/{pid}/task/{thread}/children").split()]


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
