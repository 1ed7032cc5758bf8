"""The memory that a child and everything it has started take at once, and its peak."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Mapping
from math import inf

from flagstone.processes import gpu
from flagstone.processes.child import Child
from flagstone.processes.command import EndCause, ProcessLimits
from flagstone.processes.proc import ProcessEntry, children_of, content_of, entry_of

HIGHEST = re.compile(rb"^VmHWM:\s+(\d+) kB", re.MULTILINE)
PROPORTIONAL = re.compile(rb"^Pss:\s+(\d+) kB", re.MULTILINE)
# what is beyond the largest process may be shared with it; so little is not worth finding out
SLIGHT_MB = 16.0
ALIKE = 0.01


class MemoryOfTree:
    """What a child's tree takes. Never counted: our own memory, which it had at the fork, and what is wrapped round it.

    A process's own peak is kept by the kernel, so that seldom looking is enough; of several, those at the same time add
    up. Pages that forked workers share count once, but to find that out costs the kernel a walk over all of them.
    """

    def __init__(self, child: Child, limit_mb: float | None) -> None:
        self.child = child
        self.limit_mb = limit_mb
        self.peak_mb = 0.0
        self.known: dict[int, ProcessEntry] = {}
        self.arrived: set[int] = set()
        self.weighed: frozenset[int] = frozenset()
        self.shared_mb = 0.0

    @property
    def is_over(self) -> bool:
        return self.limit_mb is not None and self.peak_mb > self.limit_mb

    def look(self, *, is_thorough: bool, may_weigh: bool) -> bool:
        """Takes one sample; True if it had to weigh shared pages, which is expensive."""
        living = self.living_processes(is_thorough)
        amounts = self.amounts(living)
        self.known = living
        if not amounts:
            return False
        largest = max(amounts, key=amounts.__getitem__)
        self.peak_mb = max(self.peak_mb, amounts[largest], self.highest_mb(largest))
        return self.add_up(amounts, may_weigh=may_weigh)

    def living_processes(self, is_thorough: bool) -> dict[int, ProcessEntry]:
        """The processes of the tree now. Only a thorough look finds children of side threads and those that left."""
        tree = self.child.tree
        waiting = [tree.root, *self.known, *(member.pid for member in (tree.members() if is_thorough else ()))]
        found: dict[int, ProcessEntry] = {}
        while waiting:
            pid = waiting.pop()
            entry = None if pid in found else entry_of(pid)
            before = self.known.get(pid, entry)
            if entry is None or before is None or entry.is_dead or entry.started_ticks < tree.since_ticks:
                continue
            if entry.started_ticks != before.started_ticks:
                continue  # the number went to somebody else
            found[pid] = entry
            waiting += children_of(pid, pid)
        return found

    def amounts(self, living: Mapping[int, ProcessEntry]) -> dict[int, float]:
        """Megabytes of each process that is the child's own."""
        around = self.child.bubblewrap_pids()
        amounts = {
            pid: entry.resident_mb - (self.child.inherited_mb if entry.is_copy else 0)
            for pid, entry in living.items()
            if pid not in around and self.is_itself(entry, living)
        }
        return {pid: amount for pid, amount in amounts.items() if amount > 0}

    def is_itself(self, entry: ProcessEntry, living: Mapping[int, ProcessEntry]) -> bool:
        """Whether a process has memory of its own, and runs what was asked for rather than what leads there."""
        if self.child.is_wrapped and entry.pid not in self.arrived:
            if not self.child.is_launcher(content_of(f"/proc/{entry.pid}/cmdline")):
                self.arrived.add(entry.pid)
            return False  # what was read of it may still be the launcher's, so it counts from the next look on
        parent = living.get(entry.parent)
        if not entry.is_copy or parent is None:
            return True
        # on its way to another program it borrows its parent's memory: as much again would be seen, for an instant
        is_borrowing = entry.virtual_bytes == parent.virtual_bytes and (
            abs(entry.resident_mb - parent.resident_mb) <= ALIKE * parent.resident_mb
        )
        return entry.pid in self.known and not is_borrowing

    def highest_mb(self, pid: int) -> float:
        inherited_mb = self.child.inherited_mb if self.known[pid].is_copy else 0
        return kilobytes(HIGHEST, f"/proc/{pid}/status") * 1024 / 1_000_000 - inherited_mb

    def add_up(self, amounts: Mapping[int, float], *, may_weigh: bool) -> bool:
        """Adds up what all of them take at once, as far as that is known now; True if it weighed shared pages."""
        total, largest = sum(amounts.values()), max(amounts.values())
        if total - largest <= SLIGHT_MB:
            self.peak_mb = max(self.peak_mb, total)
            return False
        likely = max(largest, total - self.shared_mb)
        must_weigh = self.limit_mb is not None and likely > self.limit_mb
        if likely <= self.peak_mb * (1 + ALIKE) or not (may_weigh or must_weigh):
            # as long as no process came, what grew is new and not shared
            self.peak_mb = max(self.peak_mb, likely if amounts.keys() <= self.weighed else 0)
            return False
        weight = min(total, weight_mb(amounts))
        self.weighed, self.shared_mb = frozenset(amounts), total - weight
        self.peak_mb = max(self.peak_mb, weight)
        return True

    def report_highest(self, highest_mb: float) -> None:
        """What the kernel says when a child is waited for: the one figure that no look can miss.

        It holds what the child had of ours at the fork, so that only more than that says something.
        """
        if not self.child.is_wrapped and highest_mb > self.child.ours_mb * (1 + 10 * ALIKE) + SLIGHT_MB:
            self.peak_mb = max(self.peak_mb, highest_mb - self.child.inherited_mb)


def weight_mb(pids: Collection[int]) -> float:
    """What several processes take, each shared page divided among them."""
    return sum(kilobytes(PROPORTIONAL, f"/proc/{pid}/smaps_rollup") for pid in pids) * 1024 / 1_000_000


def kilobytes(row: re.Pattern[bytes], path: str) -> int:
    found = row.search(content_of(path))
    return int(found[1]) if found else 0


FIRST_S = 0.005
# so at most a fifth of a child's life stays unseen, however short it is
OF_ITS_AGE = 0.25
LONGEST_S = 0.25
LIMITED_S = 0.1
THOROUGH_S = 1.0
GPU_FIRST_S = 0.05
GPU_S = 0.5
# of one core's time, each; a limit is worth more
SHARE_OF_LOOKS, SHARE_OF_LIMITED = 0.001, 0.002
SHARE_OF_DEAR_ONES = 0.0005


class Gauge:
    """The peaks of one running child, and whether a limit was passed."""

    def __init__(self, child: Child, limits: ProcessLimits) -> None:
        self.memory = MemoryOfTree(child, limits.memory_mb)
        self.limits = limits
        self.peak_gpu_mb: float | None = None
        self.began = child.began
        is_limited = limits.memory_mb is not None
        self.longest_s, self.share = (LIMITED_S, SHARE_OF_LIMITED) if is_limited else (LONGEST_S, SHARE_OF_LOOKS)
        self.due = self.began + FIRST_S
        self.thorough_due = self.began + THOROUGH_S
        self.weighing_due = -inf
        self.gpu_due = self.began + GPU_FIRST_S if limits.watches_gpu else inf

    @property
    def peak_rss_mb(self) -> float | None:
        return self.memory.peak_mb or None

    def look(self) -> EndCause | None:
        """Takes the samples that are due, and says when the next one is; the limit that was passed, if any."""
        now, spent = time.monotonic(), time.thread_time()
        is_thorough = now >= self.thorough_due
        has_weighed = self.memory.look(is_thorough=is_thorough, may_weigh=now >= self.weighing_due)
        cost = time.thread_time() - spent
        pause = min(max(FIRST_S, OF_ITS_AGE * (now - self.began)), self.longest_s)
        if is_thorough:
            self.thorough_due = now + max(THOROUGH_S, cost / SHARE_OF_DEAR_ONES)
        if has_weighed:
            # a young tree changes fast: it is weighed again whenever its age has doubled
            self.weighing_due = now + min(cost / SHARE_OF_DEAR_ONES, now - self.began)
        if not (is_thorough or has_weighed) and pause == self.longest_s:
            pause = max(pause, cost / self.share)
        self.due = now + pause
        if now >= self.gpu_due:
            self.look_at_gpus(now)
        return self.exceeded_limit()

    def look_at_gpus(self, now: float) -> None:
        spent = time.thread_time()
        found = gpu.gpu_memory_mb(self.memory.known.keys())
        if found is not None:
            self.peak_gpu_mb = max(self.peak_gpu_mb or 0.0, found)
        self.gpu_due = now + max(GPU_S, (time.thread_time() - spent) / SHARE_OF_DEAR_ONES)

    def exceeded_limit(self) -> EndCause | None:
        if self.memory.is_over:
            return "memory"
        gpu_limit_mb = self.limits.gpu_memory_mb
        return "gpu_memory" if gpu_limit_mb is not None and (self.peak_gpu_mb or 0) > gpu_limit_mb else None
