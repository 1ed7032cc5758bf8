"""The demo agent as the engines see it: one child process a call, heard line by line, held to its limits."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flagstone.agents import sandbox
from flagstone.agents.conversation import output_of
from flagstone.agents.demo.script import Action, actions_of
from flagstone.agents.demo.voice import event_of, heard
from flagstone.agents.demo.work import carry_out, prepare
from flagstone.agents.protocol import AgentCall, AgentResult, Event, Mode, Outcome, Usage, amount
from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.processes import Command, ProcessLimits, ProcessResult, run
from flagstone.records import utc, write_atomic


@dataclass
class Heard:
    """What a call has said so far."""

    on_event: Callable[[Event], None]
    feedback: Path
    result: dict[str, Any] | None = None
    denied: list[str] = field(default_factory=list)
    tools: int = 0
    turns: int = field(default=1)

    def take(self, line: bytes) -> bool:
        """Takes one line of output; True once the result has come."""
        value = heard(line.decode("utf-8", "replace"))
        event = event_of(value) if value else None
        if value and value.get("type") == "person":
            write_atomic(self.feedback, f"{value.get('feedback')}\n".encode())
        if value and event:
            self.tools += event.kind == "tool"
            self.result = value if value["type"] == "result" else self.result
            self.denied += [str(value["denied"])] if "denied" in value else []
            self.on_event(event)
        return self.result is not None


class DemoAgent:
    """A scripted agent: genuine work, no understanding, no network, no account."""

    name = "demo"

    def __init__(self, options: Mapping[str, object] | None = None) -> None:
        """Its options come with each call."""

    def fault(self) -> tuple[str, str] | None:
        return None

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        """Carries out a stage, or what the test script says instead."""
        started = time.time()
        note_call(call)
        if call.mode is not Mode.WORK:
            reason = "the demo agent carries out stages; it neither judges nor edits on request"
            return AgentResult.unstarted(call, Outcome.CONFIG, reason)
        try:
            actions = actions_of(call)
        except FlagstoneError as error:
            return AgentResult.unstarted(call, Outcome.CONFIG, f"{error.problem} ({error.hint})")
        prepare(actions)
        said = Heard(on_event, Run(call.task.run_root).feedback(call.task.stage))
        limits = ProcessLimits(wall_s=call.limits.wall_s, silence_s=call.limits.silence_s)
        with TemporaryDirectory(prefix="flagstone-demo-") as private:
            command = command_of(call, actions, Path(private))
            process = run(command, limits, output_of(call), said.take)
        result = result_of(call, said, process, started)
        return replace(result, denied=tuple(said.denied), sandbox=sandbox.how_held(command.confinement))


def command_of(call: AgentCall, actions: Sequence[Action], private: Path) -> Command:
    """The child of a call. What its programs print is kept with the records, so it may write there."""
    said = call.record_dir / "commands"
    said.mkdir(exist_ok=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("FLAGSTONE_")}
    return Command(
        argv=None,
        target=partial(carry_out, call, actions),
        cwd=call.task.run_root,
        env={**env, "TMPDIR": str(private)},
        owner=str(call.task.run_root),
        confinement=sandbox.confinement_for(call, (private, said), is_program=False),
    )


def note_call(call: AgentCall) -> None:
    """Leaves call.json, by which tests count calls; nothing rests on it, so it need not survive a power loss."""
    record = {
        "agent": "demo",
        "stage": call.task.stage,
        "attempt": call.task.attempt,
        "session_id": call.conversation.session_id,
        "resume": call.conversation.resume,
        "prompt_sha256": hashlib.sha256(call.prompt.encode("utf-8", "replace")).hexdigest(),
    }
    call.record_dir.mkdir(parents=True, exist_ok=True)
    (call.record_dir / "call.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def result_of(call: AgentCall, said: Heard, process: ProcessResult, started: float) -> AgentResult:
    outcome, reason = judged(said.result, process)
    result = said.result or {}
    return AgentResult(
        outcome=outcome,
        reason=reason,
        text=str(result.get("result", "")),
        session_id=call.conversation.session_id,
        exit_code=process.exit_code,
        cost_usd=0.0,
        usage=Usage(0, 0, 0, 0),
        turns=said.turns,
        tools={"script": said.tools} if said.tools else {},
        retry_after_s=amount(result.get("retry_after_s")),
        started_at=utc(started),
        ended_at=utc(time.time()),
    )


def judged(result: dict[str, Any] | None, process: ProcessResult) -> tuple[Outcome, str]:
    """What a call came to: first how it ended, then what it said."""
    if process.unclean_pids:
        pids = ", ".join(map(str, process.unclean_pids))
        return Outcome.UNCLEAN, f"the script left processes behind that could not be ended: {pids}"
    if result is None and process.timed_out:
        return Outcome.TIMEOUT, f"the script did not end within its limit ({process.wall_s:.0f} s)"
    if result is None and process.silent:
        return Outcome.SILENT, f"the script said nothing for too long (it ran for {process.wall_s:.0f} s)"
    if result is None and process.exit_code == 0:
        return Outcome.MALFORMED, "the script ended without a result"
    if result is None:
        end = f"signal {process.signal}" if process.exit_code is None else f"exit code {process.exit_code}"
        return Outcome.CRASHED, f"the script ended with {end} and without a result"
    outcome = Outcome(result["outcome"])
    if outcome is Outcome.OK and process.exit_code != 0:
        return (
            Outcome.CRASHED,
            f"the script said it was done, but ended with {process.exit_code or 'a signal'}",
        )
    return outcome, "done" if outcome is Outcome.OK else str(result.get("result", ""))
