"""A session of the real Claude Code with the plugin, as a person has one, over its control protocol."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desk import KEY, MODEL
from messages_api import MessagesApi

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = ROOT / "plugin"
BIN = Path(sys.executable).parent
LIMIT_S = 240
QUIET = (
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
    "DISABLE_AUTOUPDATER",
    "DISABLE_TELEMETRY",
    "DISABLE_ERROR_REPORTING",
)


@dataclass
class Terminal:
    """One conversation. `answer` is what a person answers to a question of the tool AskUserQuestion."""

    program: Path
    api: MessagesApi
    project: Path
    home: Path
    plugin: Path = PLUGIN
    session: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: Callable[[Mapping[str, Any]], Mapping[str, str]] = lambda _: {}
    environ: dict[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ("--permission-mode", "acceptEdits")
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    is_begun: bool = False

    def variables(self) -> dict[str, str]:
        return {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "XDG_STATE_HOME": str(self.home / "state"),
            "ANTHROPIC_BASE_URL": self.api.url,
            "ANTHROPIC_API_KEY": KEY,
            **dict.fromkeys(QUIET, "1"),
            **self.environ,
        }

    def start(self) -> subprocess.Popen[str]:
        whose = ("--resume", self.session) if self.is_begun else ("--session-id", self.session)
        self.is_begun = True
        words = ("--input-format", "stream-json", "--output-format", "stream-json", "--verbose")
        argv = (self.program, "-p", *words, "--permission-prompt-tool", "stdio", *whose, "--model", MODEL)
        return subprocess.Popen(
            [*map(str, argv), "--plugin-dir", str(self.plugin), *self.flags],
            cwd=self.project,
            env=self.variables(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            bufsize=1,
        )

    def say(self, words: str, interrupt_when: Callable[[], bool] = lambda: False) -> dict[str, Any]:
        """Has the session answer one message of a person. Returns the event of its result, {} if there is none."""
        process, self.events, end = self.start(), [], time.monotonic() + LIMIT_S
        assert process.stdin and process.stdout
        content = [{"type": "text", "text": words}]
        try:
            tell(process, {"type": "user", "message": {"role": "user", "content": content}})
            while time.monotonic() < end:
                if interrupt_when():
                    process.send_signal(signal.SIGINT)
                    interrupt_when = bool  # once
                if not select.select([process.stdout], [], [], 0.05)[0]:
                    continue
                line = process.stdout.readline()
                if not line:
                    return {}
                self.events.append(json.loads(line))
                self.answer_request(process, self.events[-1])
                if self.events[-1]["type"] == "result":
                    return self.events[-1]
            raise AssertionError(f"no result in {LIMIT_S} s; the last: {self.events[-1:]}")
        finally:
            process.stdin.close()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()

    def answer_request(self, process: subprocess.Popen[str], event: Mapping[str, Any]) -> None:
        """Answers a question for a person, and allows nothing else."""
        if event["type"] != "control_request" or event["request"]["subtype"] != "can_use_tool":
            return
        given = event["request"]["input"]
        if event["request"]["tool_name"] == "AskUserQuestion":
            self.asked.append(given)
            answers = self.answer(given)
            decided: dict[str, Any] = {"behavior": "allow", "updatedInput": {**given, "answers": answers}}
        else:
            decided = {"behavior": "deny", "message": "the person does not allow that"}
        response = {"subtype": "success", "request_id": event["request_id"], "response": decided}
        tell(process, {"type": "control_response", "response": response})

    @property
    def heard(self) -> str:
        """All that the model has been told, the results of tools included."""
        return "\n".join(self.api.asked[-1].heard) if self.api.asked else ""


def tell(process: subprocess.Popen[str], message: Mapping[str, Any]) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()
