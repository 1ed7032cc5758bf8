"""Any other coding CLI as an agent: called by a template, read line by line, held to the same limits."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from flagstone.agents import sandbox
from flagstone.agents.endings import brief, by_wording
from flagstone.agents.protocol import AgentCall, AgentResult, Event, Mode, Outcome
from flagstone.agents.template import Reading, Template
from flagstone.processes import Command, Output, ProcessLimits, ProcessResult, StartError, run
from flagstone.records import read_record, utc, write_record

STDERR_TAIL = 4096


class CommandAgent:
    """The agent `command`. `options` hold its template: argv, resume_argv, where text and cost stand."""

    name = "command"

    def __init__(self, options: Mapping[str, object] | None = None) -> None:
        self.template = Template.of(options or {})

    def fault(self) -> tuple[str, str] | None:
        """What keeps the CLI from being used, and the cure."""
        argv = self.template.argv
        if not argv:
            return "the agent `command` has no argv", "describe the CLI in run.yaml: command: {argv: […]}"
        if shutil.which(argv[0]) is None:
            return f"there is no program {argv[0]} on PATH", "install it, or correct command.argv in run.yaml"
        return None

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        """Carries out one call."""
        started_at = utc(time.time())
        result = self.answer(call, on_event)
        return replace(result, started_at=started_at, ended_at=utc(time.time()))

    def answer(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        fault = self.fault()
        if fault or call.mode is not Mode.WORK:
            reason = "; ".join(fault) if fault else "the agent `command` only works on stages"
            return AgentResult(Outcome.CONFIG, reason, "", call.conversation.session_id, cost_usd=0.0)
        session = own_session(call)
        if call.conversation.resume and (not session or not self.template.resume_argv):
            reason = "this CLI has no conversation to go on with"
            return AgentResult(Outcome.SESSION_LOST, reason, "", call.conversation.session_id, cost_usd=0.0)
        reading = Reading(self.template)

        def on_line(line: bytes) -> bool:
            event = reading.read(line)
            if event:
                on_event(event)
            return False

        with TemporaryDirectory(prefix="flagstone-agent-") as private:
            command = self.command(call, session, Path(private))
            try:
                process = run(command, limits_of(call), outputs(call), on_line)
            except StartError as error:
                return AgentResult(Outcome.CONFIG, error.problem, "", call.conversation.session_id, cost_usd=0.0)
        remember_session(call, reading.session or session)
        return replace(concluded(call, reading, process), sandbox=sandbox.how_held(command.confinement))

    def command(self, call: AgentCall, session: str, private: Path) -> Command:
        env = {name: value for name, value in os.environ.items() if not name.startswith("FLAGSTONE_")}
        return Command(
            argv=self.template.command(call, session if call.conversation.resume else ""),
            target=None,
            cwd=call.task.run_root,
            env={**env, "TMPDIR": str(private)},
            stdin=call.prompt.encode() if self.template.stdin else b"",
            owner=str(call.task.run_root),
            confinement=sandbox.confinement_for(call, (private, *self.state_folders())),
        )

    def state_folders(self) -> Iterator[Path]:
        """Where the CLI keeps its own conversations, as far as it is there."""
        for name in self.template.state:
            folder = Path(os.path.expanduser(name))
            if folder.is_dir():
                yield folder


def limits_of(call: AgentCall) -> ProcessLimits:
    return ProcessLimits(wall_s=call.limits.wall_s, silence_s=call.limits.silence_s, line_kb=8000)


def outputs(call: AgentCall) -> Output:
    return Output(call.record_dir / "transcript.jsonl", call.record_dir / "stderr.txt")


def concluded(call: AgentCall, reading: Reading, process: ProcessResult) -> AgentResult:
    """What the process and its words come to; a cost nobody stated is unknown, not nothing."""
    outcome, reason = verdict(call, reading, process)
    return AgentResult(
        outcome=outcome,
        reason=reason,
        text=reading.text,
        session_id=call.conversation.session_id,
        exit_code=process.exit_code,
        cost_usd=reading.cost_usd,
        usage=reading.usage,
    )


def verdict(call: AgentCall, reading: Reading, process: ProcessResult) -> tuple[Outcome, str]:
    if process.unclean_pids:
        pids = ", ".join(map(str, process.unclean_pids))
        return Outcome.UNCLEAN, f"processes of this call could not be ended: {pids}"
    if process.timed_out:
        return Outcome.TIMEOUT, "took longer than allowed and was ended"
    if process.silent:
        return Outcome.SILENT, "said nothing for longer than allowed and was ended"
    if process.exit_code == 0:
        return Outcome.OK, "completed"
    said = f"{tail(call.record_dir / 'stderr.txt')} {reading.text[-STDERR_TAIL:]}"
    if process.exit_code is None:
        return Outcome.CRASHED, f"ended by signal {process.signal}. {brief(said)}".strip()
    return by_wording(said) or Outcome.CRASHED, brief(said) or f"exit code {process.exit_code}"


def session_file(call: AgentCall) -> Path:
    """Where the CLI's own name of this conversation is kept: beside the attempts, not in one of them."""
    return call.record_dir.parent / f"conversation-{call.conversation.session_id}.json"


def own_session(call: AgentCall) -> str:
    return str((read_record(session_file(call)) or {}).get("session") or "")


def remember_session(call: AgentCall, session: str) -> None:
    if session:
        write_record(session_file(call), {"session": session})


def tail(path: Path) -> str:
    try:
        return path.read_bytes()[-STDERR_TAIL:].decode("utf-8", "replace")
    except OSError:
        return ""
