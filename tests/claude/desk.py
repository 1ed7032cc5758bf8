"""Where a test makes calls: a run folder, the driver, and the API that plays the model."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from messages_api import Asked, MessagesApi

from flagstone.agents.claude.driver import ClaudeAgent
from flagstone.agents.protocol import AgentCall, AgentResult, Conversation, Event, Limits, Mode, Task
from flagstone.processes.tree import environment_of, process_table

KEY = "sk-ant-api03-not-a-real-key-0123456789"
MODEL = "claude-sonnet-5-5"
# the real limits are minutes; what is tried here is what happens at them
IMPATIENT = {"retries": 1, "api_timeout_s": 4, "stall_s": 2}
FORM = {
    "type": "object",
    "properties": {"choice": {"type": "string"}},
    "required": ["choice"],
    "additionalProperties": False,
}


@dataclass
class Desk:
    """One run and one conversation at a time."""

    folder: Path
    program: Path
    api: MessagesApi
    seen: list[Event] = field(default_factory=list)
    session_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    calls: int = 0
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """What a person's shell would hold; nothing of this machine's own but the path."""
        self.environ |= {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "ANTHROPIC_BASE_URL": self.api.url,
            "ANTHROPIC_API_KEY": KEY,
        }

    @property
    def root(self) -> Path:
        """The run the agent works in."""
        return self.folder / "run"

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    @property
    def session_folder(self) -> Path:
        return self.root / "drafts" / "03" / f"conversation-{self.session_id}"

    @property
    def agent(self) -> ClaudeAgent:
        return ClaudeAgent({"command": str(self.program)}, self.environ, grace_s=10)

    def call(self, **changes: Any) -> AgentCall:
        """A call of its own record folder; anything about it can be named differently."""
        self.calls += 1
        attempt = self.root / "drafts" / "03" / f"{self.calls:03d}"
        call = AgentCall(
            prompt="please do it",
            conversation=Conversation(self.session_id, resume=self.calls > 1),
            task=Task("03", "Study Design", self.calls, self.root, attempt / "draft.md"),
            mode=Mode.WORK,
            writable=(self.workspace, attempt / "draft.md"),
            model=MODEL,
            limits=Limits(wall_s=60, silence_s=30, turns=20, cost_usd=None),
            record_dir=attempt,
            options=IMPATIENT,
        )
        return replace(call, **changes)

    def ask(self, **changes: Any) -> AgentResult:
        """Makes a call and carries it out."""
        return self.carry_out(self.call(**changes))

    def carry_out(self, call: AgentCall) -> AgentResult:
        call.record_dir.mkdir(parents=True, exist_ok=True)
        call.task.draft.touch()
        return self.agent.call(call, self.seen.append)

    def judge(self, **changes: Any) -> AgentResult:
        return self.ask(**{"mode": Mode.JUDGE, "writable": (), "reply_schema": FORM, **changes})

    def edit(self, *files: Path, **changes: Any) -> AgentResult:
        return self.ask(mode=Mode.EDIT, writable=files, **changes)

    @property
    def transcript(self) -> list[dict[str, Any]]:
        """What the CLI printed in the latest call."""
        text = (self.root / "drafts" / "03" / f"{self.calls:03d}" / "transcript.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]

    def still_running(self) -> list[int]:
        """The processes of our conversation."""
        return marked(f":conversation-{self.session_id}/".encode())


def marked(owner: bytes) -> list[int]:
    """The processes that carry the mark of an owner."""
    living = [entry.pid for entry in process_table(0) if not entry.is_dead]
    return [pid for pid in living if owner in environment_of(pid)]


def then(act: Callable[[], object], reply: Any) -> Callable[[Asked], Any]:
    """A line of the script during which something happens on our side."""

    def line(asked: Asked) -> Any:
        act()
        return reply

    return line


def wait_until(found: Callable[[], object], what: str, limit_s: float = 300) -> None:
    """Looks again and again, so that no test waits longer than it must."""
    end = time.monotonic() + limit_s
    while not found():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.02)
