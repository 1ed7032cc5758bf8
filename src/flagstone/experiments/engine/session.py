"""What one session of an experiment may take, and whether that is used up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from flagstone.experiments.ledger import Progress
from flagstone.plans import Spec


@dataclass(frozen=True)
class SessionLimits:
    """What one session may take, reworks and repeats included. None: without a limit."""

    usd: float | None = None
    wall_s: float | None = None
    tokens: float | None = None
    experiments: int | None = None


@dataclass(frozen=True)
class SessionMeter:
    """A session under way: its limits, and how far the experiment was when it began."""

    limits: SessionLimits
    start: Progress
    began_s: float
    clock: Callable[[], float] = time.monotonic

    @staticmethod
    def begin(limits: SessionLimits, now: Progress) -> SessionMeter:
        return SessionMeter(limits, now, time.monotonic())

    def usd_left(self, now: Progress) -> float | None:
        return left(self.limits.usd, now.cost_usd - self.start.cost_usd)

    def tokens_left(self, now: Progress) -> float | None:
        return left(self.limits.tokens, now.tokens - self.start.tokens)

    def end_reason(self, now: Progress, spec: Spec) -> str:
        """The limit that is used up, such as `session_usd`. Returns '' if another run may begin."""
        wall_left = left(self.limits.wall_s, self.clock() - self.began_s)
        amounts = {"usd": self.usd_left(now), "wall": wall_left, "tokens": self.tokens_left(now)}
        if not now.is_reworked_next(spec):  # the last idea has its reworks
            amounts["experiments"] = left(self.limits.experiments, now.experiments - self.start.experiments)
        return next((f"session_{name}" for name, amount in amounts.items() if amount is not None and amount <= 0), "")


def left(limit: float | None, used: float) -> float | None:
    return None if limit is None else max(limit - used, 0.0)


def smallest(*amounts: float | None) -> float | None:
    """The smallest of the limits that are set. Returns None if none is."""
    return min((each for each in amounts if each is not None), default=None)
