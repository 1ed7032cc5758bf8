"""The agent `scripted` as the engines see it: the demo agent's child process, with the actions of a script in it."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flagstone.agents.demo.driver import DemoAgent, Listener, run_in_child
from flagstone.agents.demo.messages import conclude, deny
from flagstone.agents.demo.work import begin, carry_out
from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, Event, Mode
from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.records import write_atomic
from scripted_agent import actions
from scripted_agent.roles import play_role
from scripted_agent.script import Action, actions_of


class ScriptedAgent(DemoAgent):
    """Plays the script in its option `script`; a call that no entry names is a genuine stage of the demo study."""

    name = "scripted"

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        note_call(call)
        if call.mode is not Mode.WORK:
            return play_role(call)
        try:
            planned = actions_of(call)
        except FlagstoneError as error:
            return AgentResult.never_started(call, CallOutcome.CONFIG, f"{error.problem} ({error.hint})")
        person = Person(on_event, feedback=Run(call.task.run_root).feedback(call.task.stage))
        return run_in_child(call, partial(play, call, planned), person)


@dataclass
class Person(Listener):
    """Hears the child, and writes the feedback that the script has a person write meanwhile."""

    feedback: Path = Path()

    def take_message(self, message: dict[str, Any]) -> None:
        if message.get("type") == "person":
            write_atomic(self.feedback, f"{message.get('feedback')}\n".encode())
        else:
            super().take_message(message)


def note_call(call: AgentCall) -> None:
    """Leaves commands/call.json, by which tests count calls."""
    record = {
        "agent": "scripted",
        "stage": call.task.stage,
        "attempt": call.task.attempt,
        "session_id": call.conversation.session_id,
        "resume": call.conversation.resume,
        "prompt_sha256": hashlib.sha256(call.prompt.encode("utf-8", "replace")).hexdigest(),
    }
    write_atomic(call.record_dir / "commands" / "call.json", json.dumps(record, indent=1).encode())


def play(call: AgentCall, planned: Sequence[Action]) -> int:
    """All actions of a call, in the child process; returns the exit code."""
    if planned == (Action("study"),):
        return carry_out(call)
    begin(call)
    for action in planned:
        ended = perform(call, action)
        if ended is not None:
            return ended
    conclude(call.conversation.session_id, CallOutcome.OK, f"stage {call.task.stage} is done, by script")
    return 0


def perform(call: AgentCall, action: Action) -> int | None:
    try:
        return actions.perform(call, action)
    except PermissionError as error:
        deny(action.name, f"{error.strerror}: {error.filename}")
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        deny(action.name, f"{error.strerror}: {error.filename}")
    return None
