"""A stand-in for the Claude Code CLI."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flagstone.agents.claude.driver import ClaudeAgent
from flagstone.agents.protocol import AgentCall, AgentResult, Event

SESSION = "6b1f9a5e-0000-4000-8000-0000000000aa"
INIT = {"type": "system", "subtype": "init", "session_id": SESSION, "model": "some-model", "tools": ["Read"]}
SUCCESS = {
    "type": "result",
    "subtype": "success",
    "is_error": False,
    "terminal_reason": "completed",
    "result": "all done",
    "session_id": SESSION,
    "num_turns": 3,
    "total_cost_usd": 0.25,
    "usage": {
        "input_tokens": 11,
        "output_tokens": 22,
        "cache_read_input_tokens": 33,
        "cache_creation_input_tokens": 44,
    },
}


def error(**fields: object) -> dict[str, Any]:
    """A result event that tells of an error of the API."""
    return {**SUCCESS, "is_error": True, "terminal_reason": "api_error", **fields}


@dataclass
class StandIn:
    """A program called `claude` that prints what a test tells it to."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    seen: list[Event] = field(default_factory=list)

    def says(self, *events: object, stderr: str = "", then: str = "exit 0") -> None:
        """What it prints (objects as JSON, bytes as they are) and how it ends, in shell."""
        lines = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
        (self.folder / "stdout").write_bytes(b"".join(line + b"\n" for line in lines))
        (self.folder / "stderr").write_text(stderr)
        (self.folder / "then").write_text(then)

    def answer(self, call: AgentCall, grace_s: float = 0.05) -> AgentResult:
        agent = ClaudeAgent(environ=self.environ, grace_s=grace_s)
        return agent.call(call, self.seen.append)

    @property
    def argv(self) -> list[str]:
        return (self.folder / "argv").read_text().split("\0")[:-1]

    @property
    def env(self) -> dict[str, str]:
        lines = (self.folder / "env").read_text().split("\0")[:-1]
        return dict(line.split("=", 1) for line in lines)

    @property
    def prompt(self) -> str:
        return (self.folder / "prompt").read_text()

    @property
    def was_started(self) -> bool:
        return (self.folder / "argv").exists()
