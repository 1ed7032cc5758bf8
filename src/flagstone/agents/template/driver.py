"""Any other coding CLI as an agent: called by a template, read line by line, held to the same limits."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace

from flagstone.agents import sandbox
from flagstone.agents.claude import brief, by_wording
from flagstone.agents.conversation import STDERR_TAIL, SessionFolder, carry_out_alone, output_of, stderr_tail
from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, Event, Limits, Mode, own_git_only
from flagstone.agents.template.replies import Reply, asking_for, reply_in
from flagstone.agents.template.state import Copy, lend_state
from flagstone.agents.template.template import OutputReader, Template
from flagstone.processes import Command, ProcessLimits, ProcessResult, Redactor, StartError, run

LEAVING_S = 0.5  # for a CLI that has come to its end anyway, when it tells that its money is spent


class CommandAgent:
    """The agent `command`. `options` hold its template: argv, resume_argv, where text and cost are found."""

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
        fault = self.fault()
        if fault:
            return AgentResult.never_started(call, CallOutcome.CONFIG, "; ".join(fault))

        def converse(folder: SessionFolder) -> AgentResult:
            with lend_state(self.template.state, folder.root) as copies:
                return self.converse(call, folder, copies, on_event)

        return carry_out_alone(call, Redactor.of(os.environ, secret=call.environment), converse)

    def converse(
        self, call: AgentCall, folder: SessionFolder, copies: tuple[Copy, ...], on_event: Callable[[Event], None]
    ) -> AgentResult:
        """One run of the CLI in a conversation that is ours alone."""
        # the CLI's own name of the conversation to go on with
        session = str(folder.fact("session") or "") if call.conversation.resume else ""
        if call.conversation.resume and not (session and self.template.resume_argv):
            return AgentResult.never_started(call, CallOutcome.SESSION_LOST, "this CLI cannot continue a conversation")
        reading = OutputReader(self.template, session or self.template.name_given(call.conversation.session_id))
        folder.note(session=reading.session)  # now: the conversation can go on, whatever becomes of us
        noted = ""

        def on_line(line: bytes) -> bool:
            nonlocal noted
            event = reading.read(line)
            if reading.session != noted:
                noted = reading.session
                folder.note(session=noted, has_spoken=True)
            if event:
                on_event(event)
            return bool(used_up(call.limits, reading))

        command = self.command(call, folder, session)
        if command.confinement is not None:
            command = replace(command, confinement=replace(command.confinement, copies=copies))
        try:
            process = run(command, limits_of(call), output_of(call), on_line)
        except StartError as error:
            return AgentResult.never_started(call, CallOutcome.CONFIG, error.problem)
        reading.finish()
        folder.note_survivors(process.survivors, session=reading.session)
        result = result_of(call, reading, process)
        if session and result.outcome is CallOutcome.CRASHED and not folder.fact("has_spoken"):
            result = replace(
                result, outcome=CallOutcome.SESSION_LOST, reason="this CLI never came to that conversation"
            )
        return replace(result, sandbox=sandbox.mechanisms_of(command.confinement))

    def command(self, call: AgentCall, folder: SessionFolder, session: str) -> Command:
        env = {name: value for name, value in os.environ.items() if not name.startswith("FLAGSTONE_")}
        prompt = call.prompt if call.reply_schema is None else asking_for(call.reply_schema, call.prompt)
        said = replace(call, prompt=prompt)
        # no rules of a CLI's own hold it here: whatever it is asked to do, it can run programs
        held = replace(call, mode=Mode.WORK, writable=() if call.mode is Mode.JUDGE else call.writable)
        return Command(
            argv=self.template.command(said, session),
            target=None,
            cwd=call.task.run_root,
            env={**env, **call.environment, **own_git_only(call), "TMPDIR": str(folder.temporary)},
            stdin=prompt.encode("utf-8", "replace") if self.template.stdin else b"",
            owner=folder.owner,
            confinement=sandbox.confinement_for(held, (folder.temporary,)),
            secret=call.environment,
        )


def limits_of(call: AgentCall) -> ProcessLimits:
    limits = call.limits
    return ProcessLimits(
        wall_s=limits.wall_s,
        silence_s=limits.silence_s,
        line_kb=8000,
        grace_s=LEAVING_S,
        may_wait_for_children=True,
    )


def used_up(limits: Limits, reading: OutputReader) -> str:
    """Which limit a call has reached by its own reports, in words. Returns '' if none."""
    if limits.cost_usd is not None and (reading.cost_usd or 0.0) >= limits.cost_usd > 0:
        return f"the money allowed for this call is spent ({reading.cost_usd:g} of {limits.cost_usd:g} USD)"
    counted = (reading.input_tokens or 0) + (reading.output_tokens or 0)
    if limits.tokens is not None and counted >= limits.tokens > 0:
        return f"the tokens allowed for this call are used up ({counted} of {limits.tokens})"
    return ""


def result_of(call: AgentCall, reading: OutputReader, process: ProcessResult) -> AgentResult:
    """The result of a call, from its exit code and output.

    If the output states no cost, the cost is unknown, not zero.
    """
    outcome, reason = verdict(call, reading, process)
    reply = Reply()
    if outcome is CallOutcome.OK and call.reply_schema is not None:
        reply = reply_in(reading.text, call.reply_schema)
        if reply.fault:
            outcome, reason = CallOutcome.SCHEMA, reply.fault
    return AgentResult(
        outcome=outcome,
        reason=reason,
        text=reading.text,
        session_id=call.conversation.session_id,
        exit_code=process.exit_code,
        cost_usd=reading.cost_usd,
        usage=reading.usage,
        structured=reply.value,
    )


def has_left_nothing(call: AgentCall) -> bool:
    """Whether a call that was to write a draft has written none."""
    draft = call.task.draft
    return call.reply_schema is None and draft.is_file() and draft.stat().st_size == 0


def verdict(call: AgentCall, reading: OutputReader, process: ProcessResult) -> tuple[CallOutcome, str]:
    if process.unclean_pids:
        pids = ", ".join(map(str, process.unclean_pids))
        return CallOutcome.UNCLEAN, f"processes of this call could not be ended: {pids}"
    if process.timed_out:
        return CallOutcome.TIMEOUT, "exceeded its time limit and was ended"
    if process.is_silent:
        return CallOutcome.SILENT, "had no output for longer than allowed and was ended"
    if process.ending == "grace":
        return CallOutcome.BUDGET, used_up(call.limits, reading)
    said = f"{stderr_tail(call)} {reading.trouble or reading.text[-STDERR_TAIL:]}"
    if process.exit_code == 0:
        # a CLI may report an outage in plain words and still exit with 0
        is_away = has_left_nothing(call) and by_wording(said) is CallOutcome.RETRYABLE
        return (CallOutcome.RETRYABLE, brief(said)) if is_away else (CallOutcome.OK, "completed")
    if process.exit_code is None:
        return CallOutcome.CRASHED, f"ended by signal {process.signal}. {brief(said)}".strip()
    return by_wording(said) or CallOutcome.CRASHED, brief(said) or f"exit code {process.exit_code}"
