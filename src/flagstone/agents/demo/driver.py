"""The demo agent as the engines see it: one child process a call, read line by line, within its limits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flagstone.agents import sandbox
from flagstone.agents.conversation import output_of
from flagstone.agents.demo.messages import event_of, message_in
from flagstone.agents.demo.work import carry_out
from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, Event, Usage, amount
from flagstone.processes import Command, ProcessLimits, ProcessResult, run
from flagstone.records import utc


@dataclass
class Listener:
    """Takes what the child writes, line by line, and remembers what the result of the call needs."""

    on_event: Callable[[Event], None]
    result: dict[str, Any] | None = None
    denied: list[str] = field(default_factory=list)
    tools: int = 0

    def take(self, line: bytes) -> bool:
        """Reads one line of output. Returns True once the result has come."""
        message = message_in(line.decode("utf-8", "replace"))
        if message:
            self.take_message(message)
        return self.result is not None

    def take_message(self, message: dict[str, Any]) -> None:
        event = event_of(message)
        if event is None:
            return
        self.tools += event.kind == "tool"
        self.result = message if message["type"] == "result" else self.result
        self.denied += [str(message["denied"])] if "denied" in message else []
        self.on_event(event)


class DemoAgent:
    """A scripted agent: genuine work, no understanding, no network, no account."""

    name = "demo"

    def __init__(self, options: Mapping[str, object] | None = None) -> None:
        """Its options come with each call."""

    def fault(self) -> tuple[str, str] | None:
        return None

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        """Carries out a stage of the study, or plays a role of its campaign."""
        return run_in_child(call, partial(carry_out, call), Listener(on_event))


def run_in_child(call: AgentCall, work: Callable[[], int], listener: Listener) -> AgentResult:
    """Does the work of a call in a child process, which is read line by line and kept within its limits."""
    started_at = utc(time.time())
    limits = ProcessLimits(wall_s=call.limits.wall_s, silence_s=call.limits.silence_s)
    with TemporaryDirectory(prefix="flagstone-demo-") as private:
        command = command_of(call, work, Path(private))
        process = run(command, limits, output_of(call), listener.take)
    result = result_of(call, listener, process)
    held = sandbox.mechanisms_of(command.confinement)
    return replace(result, sandbox=held, started_at=started_at, ended_at=utc(time.time()))


def command_of(call: AgentCall, work: Callable[[], int], private: Path) -> Command:
    """The child of a call. What its programs print is kept with the records, so it may write there."""
    printed = call.record_dir / "commands"
    printed.mkdir(parents=True, exist_ok=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith("FLAGSTONE_")}
    return Command(
        argv=None,
        target=work,
        cwd=call.task.run_root,
        env={**env, "TMPDIR": str(private)},
        owner=str(call.task.run_root),
        confinement=sandbox.confinement_for(call, (private, printed), is_program=False),
    )


def result_of(call: AgentCall, listener: Listener, process: ProcessResult) -> AgentResult:
    outcome, reason = ending_of(listener.result, process)
    result = listener.result or {}
    return AgentResult(
        outcome=outcome,
        reason=reason,
        text=str(result.get("result", "")),
        session_id=call.conversation.session_id,
        exit_code=process.exit_code,
        cost_usd=0.0,
        usage=Usage(0, 0, 0, 0),
        turns=1,
        tools={"script": listener.tools} if listener.tools else {},
        denied=tuple(listener.denied),
        structured=result.get("structured"),
        retry_after_s=amount(result.get("retry_after_s")),
    )


def ending_of(result: dict[str, Any] | None, process: ProcessResult) -> tuple[CallOutcome, str]:
    """How a call ended: first by its process, then by its result."""
    if process.unclean_pids:
        pids = ", ".join(map(str, process.unclean_pids))
        return CallOutcome.UNCLEAN, f"the script left processes behind that could not be ended: {pids}"
    if result is None and process.timed_out:
        return CallOutcome.TIMEOUT, f"the script did not end within its limit ({process.wall_s:.0f} s)"
    if result is None and process.is_silent:
        return CallOutcome.SILENT, f"the script printed nothing for too long (it ran for {process.wall_s:.0f} s)"
    if result is None and process.exit_code == 0:
        return CallOutcome.MALFORMED, "the script ended without a result"
    if result is None:
        end = f"signal {process.signal}" if process.exit_code is None else f"exit code {process.exit_code}"
        return CallOutcome.CRASHED, f"the script ended with {end} and without a result"
    outcome = CallOutcome(result["outcome"])
    if outcome is CallOutcome.OK and process.exit_code != 0:
        return (
            CallOutcome.CRASHED,
            f"the script reported success, but ended with {process.exit_code or 'a signal'}",
        )
    return outcome, "done" if outcome is CallOutcome.OK else str(result.get("result", ""))
