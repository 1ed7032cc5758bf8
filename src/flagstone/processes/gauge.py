"""When to look how much memory a child takes: often while it is young, and never so that it costs."""

from __future__ import annotations

import time
from math import inf

from flagstone.processes import nvml
from flagstone.processes.child import Child
from flagstone.processes.command import Ending, ProcessLimits
from flagstone.processes.memory import MemoryOfTree

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

    def look(self) -> Ending | None:
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
        return self.passed()

    def look_at_gpus(self, now: float) -> None:
        spent = time.thread_time()
        found = nvml.gpu_memory_mb(self.memory.known.keys())
        if found is not None:
            self.peak_gpu_mb = max(self.peak_gpu_mb or 0.0, found)
        self.gpu_due = now + max(GPU_S, (time.thread_time() - spent) / SHARE_OF_DEAR_ONES)

    def passed(self) -> Ending | None:
        if self.memory.is_over:
            return "memory"
        gpu_limit_mb = self.limits.gpu_memory_mb
        return "gpu_memory" if gpu_limit_mb is not None and (self.peak_gpu_mb or 0) > gpu_limit_mb else None
