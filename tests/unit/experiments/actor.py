"""Agents that do exactly what a test says, and remember what they were asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, Event, Usage

Act = Callable[[Path], None]


def ended(outcome: CallOutcome = CallOutcome.OK, text: str = "", **changes: object) -> AgentResult:
    known = {"cost_usd": 0.25, "usage": Usage(10, 5, 100, 0), "reason": "because"}
    return AgentResult(**{"outcome": outcome, "text": text, "session_id": "s", **known, **changes})  # type: ignore[arg-type]


def writes(source: str, path: str = "train.py") -> Act:
    def act(draft: Path) -> None:
        (draft / path).write_text(source)

    return act


def nothing(_: Path) -> None:
    return None


@dataclass
class Actor:
    """Plays one answer a call, the last one for ever."""

    plays: list[tuple[Act, AgentResult]]
    calls: list[AgentCall] = field(default_factory=list)
    name: str = "actor"

    def fault(self) -> tuple[str, str] | None:
        return None

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        self.calls.append(call)
        act, result = self.plays[min(len(self.calls), len(self.plays)) - 1]
        on_event(Event.of("text", result.text or "working"))
        act(call.task.run_root)
        return result
