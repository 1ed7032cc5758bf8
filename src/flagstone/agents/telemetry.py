"""One line for every call of an agent in logs/agents.jsonl, and what the calls have cost."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.agents.protocol import Agent, AgentCall, AgentResult, Event, Outcome, amount, whole
from flagstone.errors import FlagstoneError, Interrupted
from flagstone.records import Ledger, cannot_write, utc

LOG = "agents.jsonl"


@dataclass(frozen=True)
class Spending:
    """What some calls came to. A sum with an unknown part is unknown; `known_usd` is what is certain."""

    calls: int
    cost_usd: float | None
    known_usd: float
    unknown_calls: int
    input_tokens: int | None
    output_tokens: int | None


@dataclass(frozen=True)
class RecordedAgent:
    """An agent whose every call leaves a line in the log, interrupted ones included."""

    agent: Agent
    log: Path

    @property
    def name(self) -> str:
        return self.agent.name

    def fault(self) -> tuple[str, str] | None:
        return self.agent.fault()

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        """Carries out the call and writes its line."""
        began = time.time()
        try:
            result = self.agent.call(call, on_event)
        except BaseException as error:
            outcome = outcome_of(error)
            conversation = call.conversation.session_id
            lost = AgentResult(outcome, type(error).__name__, "", conversation, started_at=utc(began))
            self.append(call, lost, time.time() - began)
            raise
        self.append(call, result, time.time() - began)
        return result

    def append(self, call: AgentCall, result: AgentResult, wall_s: float) -> None:
        append_call(self.log, {"agent": self.name, **line_of(call, result), "wall_s": round(wall_s, 3)})


def outcome_of(error: BaseException) -> Outcome:
    if isinstance(error, Interrupted):
        return Outcome.INTERRUPTED
    return Outcome.CONFIG if type(error) is FlagstoneError else Outcome.CRASHED


def line_of(call: AgentCall, result: AgentResult) -> dict[str, object]:
    """What the log says of a call: everything about it except its texts."""
    record = result.to_record()
    told = {name: record[name] for name in record if name not in ("text", "structured")}
    asked = {
        "stage": call.task.stage,
        "attempt": call.task.attempt,
        "title": call.task.title,
        "mode": call.mode.value,
        "model": call.model,
        "resumed": call.conversation.resume,
    }
    return {**asked, **told}


def append_call(log: Path, line: dict[str, object]) -> None:
    """Adds one line, whoever else is writing at the same time."""
    with alone_with(log):
        Ledger(log).append(line)


@contextmanager
def alone_with(log: Path) -> Iterator[None]:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(log, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise cannot_write(log, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def spending(log: Path, stage: str | None = None) -> Spending:
    """What the calls of a run, or of one of its stages, have cost so far."""
    return sum_of(Ledger(log).entries(), stage)


def sum_of(calls: list[dict[str, Any]], stage: str | None = None) -> Spending:
    """What these calls, or those of one stage, have cost."""
    lines = [line for line in calls if stage is None or line.get("stage") == stage]
    costs = [amount(line.get("cost_usd")) for line in lines]
    known = [cost for cost in costs if cost is not None]
    return Spending(
        calls=len(lines),
        cost_usd=sum(known) if len(known) == len(costs) else None,
        known_usd=sum(known),
        unknown_calls=len(costs) - len(known),
        input_tokens=tokens(lines, "input_tokens"),
        output_tokens=tokens(lines, "output_tokens"),
    )


def tokens(lines: list[dict[str, object]], name: str) -> int | None:
    """A sum of tokens; None as soon as one call did not count them."""
    counts = []
    for line in lines:
        usage = line.get("usage")
        counts.append(whole(usage.get(name)) if isinstance(usage, dict) else None)
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
