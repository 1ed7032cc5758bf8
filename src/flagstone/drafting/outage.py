"""Waits for an agent's service that is away: since when, until when, and how long at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flagstone.agents import AgentResult, CallOutcome
from flagstone.drafting.work import Attempt
from flagstone.errors import Paused, WorkFailed
from flagstone.records import read_as, seconds_of
from flagstone.settings import StageLimits
from flagstone.text import clock_text

PASSES = (CallOutcome.RETRYABLE, CallOutcome.SESSION_BUSY)
LONGEST_STEP_S = 900.0  # what we wait at once of our own accord
SHORT_S = 60.0  # who asks for no more than this does not say when an outage ends


@dataclass(frozen=True)
class Wait:
    """What the last attempts met: the service is away since then. `until_s` is None if it does not say until when."""

    result: AgentResult
    since_s: float
    last_s: float

    @property
    def asked_s(self) -> float:
        return self.result.retry_after_s or 0.0

    @property
    def until_s(self) -> float | None:
        return self.last_s + self.asked_s if self.asked_s > SHORT_S else None

    def text(self, now_s: float) -> str:
        """What is waited for, in words."""
        if self.until_s is not None:
            return f"waiting until {clock_text(self.until_s, now_s)}: {self.result.reason}"
        what = "another call" if self.result.outcome is CallOutcome.SESSION_BUSY else "the API"
        return f"waiting for {what} since {clock_text(self.since_s, now_s)}: {self.result.reason}"


def wait_after(attempts: Sequence[Attempt], now_s: float) -> Wait | None:
    """What is to be waited for after these attempts. Returns None if the last one did not end with an outage."""
    wait: Wait | None = None
    for attempt in reversed(attempts):
        result = read_as(attempt.result, AgentResult)
        if result is not None and result.outcome is CallOutcome.SESSION_LOST:
            continue  # that call never reached the service
        if result is None or result.outcome not in PASSES:
            break
        ended_s = seconds_of(result.ended_at) or now_s
        wait = Wait(wait.result if wait else result, ended_s, wait.last_s if wait else ended_s)
    return wait


@dataclass
class Outage:
    """How long this process has waited for the service without a break, and how long it may."""

    stage: str
    run: str
    limits: StageLimits
    waited_s: float = 0.0
    told_s: float = 0.0  # waited because the service said so
    times: int = 0

    def pause_s(self, wait: Wait | None, now_s: float) -> float:
        """How long to wait now: as the service asks, or longer each time. Raises an error if that takes too long."""
        if wait is None:
            self.waited_s, self.told_s, self.times = 0.0, 0.0, 0
            return 0.0
        if wait.until_s is not None:
            return self.told_pause_s(wait, wait.until_s, now_s)
        if self.waited_s >= self.limits.outage_s:
            raise WorkFailed(
                f"{self.stage} failed: the agent's service was away for {self.waited_s / 60:.0f} minutes"
                f" ({wait.result.reason})",
                hint="no attempt was used up; run it again when the service is back, or raise limits.outage_s",
            )
        return max(0.0, wait.last_s + self.next_step_s(wait.asked_s) - now_s)

    def next_step_s(self, asked_s: float = 0.0) -> float:
        """How long the next wait is: longer each time."""
        step_s = max(asked_s, min(self.limits.retry_s * 2.0**self.times, LONGEST_STEP_S))
        self.times += 1
        self.waited_s += max(step_s, 1.0)
        return step_s

    def told_pause_s(self, wait: Wait, until_s: float, now_s: float) -> float:
        left_s = max(0.0, until_s - now_s)
        if self.told_s + left_s > self.limits.window_s:
            raise Paused(
                f"{self.stage} is paused until {clock_text(until_s, now_s)}: {wait.result.reason}",
                hint=f"no attempt was used up; continue after that time: flagstone run {self.run}",
                until_s=until_s,
            )
        self.told_s += left_s
        return left_s
