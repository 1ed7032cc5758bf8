"""Drives the Claude Code CLI: one call in, one result out, everything it printed on record."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from flagstone.agents import sandbox
from flagstone.agents.claude.endings import Leftovers, stream_result
from flagstone.agents.claude.events import Stream
from flagstone.agents.claude.launch import arguments, environment, faults_of, prompt_bytes
from flagstone.agents.claude.login import is_logged_in, lend_login
from flagstone.agents.claude.totals import Account
from flagstone.agents.conversation import SessionFolder, carry_out_alone, output_of, stderr_tail
from flagstone.agents.protocol import AgentCall, AgentResult, CallInterrupted, CallOutcome, Event, Limits, names
from flagstone.errors import Interrupted
from flagstone.processes import Command, ProcessLimits, ProcessResult, Redactor, StartError, run

VERSION = "2.1.329"
TRANSCRIPT_MB = 200
LINE_KB = 8000


class ClaudeAgent:
    """The agent `claude`. `options["command"]` names the program if it is not on PATH.

    `options["variables"]` are the names of those that each call brings with it.
    """

    name = "claude"

    def __init__(
        self,
        options: Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
        grace_s: float = 10,
    ) -> None:
        self.executable = str((options or {}).get("command") or "claude")
        self.environ = os.environ if environ is None else environ
        self.variables = names((options or {}).get("variables"))
        self.grace_s = grace_s

    def fault(self) -> tuple[str, str] | None:
        """What keeps Claude Code from being used here, and the cure."""
        if shutil.which(self.executable, path=self.environ.get("PATH")) is None:
            return (
                f"Claude Code is not installed: there is no program {self.executable} on PATH",
                f"install it: npm install -g @anthropic-ai/claude-code@{VERSION}",
            )
        if not is_logged_in(self.environ, self.variables):
            return (
                "Claude Code is not logged in",
                "start claude once and log in, or set ANTHROPIC_API_KEY or CLAUDE_CODE_OAUTH_TOKEN",
            )
        return None

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        """Carries out one call; an interruption, a full disk, or a machine that cannot hold the agent, is raised."""
        faults = faults_of(call)
        if faults:
            return AgentResult.never_started(call, CallOutcome.CONFIG, "; ".join(faults))
        if is_spent(call.limits):
            return AgentResult.never_started(
                call, CallOutcome.BUDGET, "the budget leaves no money or tokens for this call"
            )

        def converse(folder: SessionFolder) -> AgentResult:
            with lend_login({**self.environ, **call.environment}, folder.config, call):
                return self.converse(call, folder, on_event)

        return carry_out_alone(call, Redactor.of(os.environ, self.environ, secret=call.environment), converse)

    def converse(self, call: AgentCall, folder: SessionFolder, on_event: Callable[[Event], None]) -> AgentResult:
        """Runs the CLI once, in a folder that nobody else uses. Returns how the call ended."""
        stream = Stream(call.conversation.session_id)

        def on_line(line: bytes) -> bool:
            for event in stream.read(line):
                on_event(event)
            if call.limits.tokens is not None and stream.result is None and stream.tokens_so_far >= call.limits.tokens:
                raise TokensSpent
            return stream.result is not None

        limits = ProcessLimits(
            call.limits.wall_s,
            call.limits.silence_s,
            TRANSCRIPT_MB,
            LINE_KB,
            grace_s=self.grace_s,
            may_be_silent=lambda: bool(stream.running_tools),
        )
        command, account = self.command(call, folder), Account(call, folder)
        try:
            process = run(command, limits, output_of(call), on_line)
        except StartError as error:
            return AgentResult.never_started(call, CallOutcome.CONFIG, error.problem)
        except TokensSpent:
            spent = f"the tokens allowed for this call are used up ({stream.tokens_so_far} of {call.limits.tokens})"
            result = result_of_stopped(call, stream, CallOutcome.BUDGET, spent)
        except Interrupted as error:
            result = result_of_stopped(call, stream, CallOutcome.INTERRUPTED, type(error).__name__)
            raise CallInterrupted(error, account.charge(result, stream)) from error
        else:
            result = result_of(call, folder, stream, process)
        return replace(account.charge(result, stream), sandbox=sandbox.mechanisms_of(command.confinement))

    def command(self, call: AgentCall, folder: SessionFolder) -> Command:
        return Command(
            argv=arguments(call, self.executable),
            target=None,
            cwd=call.task.run_root,
            env=environment(call, folder, self.environ),
            stdin=prompt_bytes(call.prompt, call.task.run_root),
            owner=folder.owner,
            confinement=sandbox.confinement_for(call, (folder.config, folder.temporary), environ=self.environ),
            secret=call.environment,
        )


class TokensSpent(Exception):
    """The call has used all tokens it may: it is ended at once."""


def is_spent(limits: Limits) -> bool:
    return (limits.cost_usd is not None and limits.cost_usd <= 0) or (limits.tokens is not None and limits.tokens <= 0)


def result_of_stopped(call: AgentCall, stream: Stream, outcome: CallOutcome, reason: str) -> AgentResult:
    """The result of a call that we ended in the middle."""
    session_id, text = call.conversation.session_id, stream.last_text
    return AgentResult(outcome, reason, text, session_id, tools=dict(stream.tools))


def result_of(call: AgentCall, folder: SessionFolder, stream: Stream, process: ProcessResult) -> AgentResult:
    """The result of a call that has ended. Records the processes of it that could not be ended."""
    left = Leftovers(
        exit_code=process.exit_code,
        signal=process.signal,
        ending=process.ending,
        unclean_pids=process.unclean_pids,
        stderr=stderr_tail(call),
        wants_structure=call.reply_schema is not None,
        now_s=time.time(),
    )
    folder.note_survivors(process.survivors)
    return stream_result(call, stream, left)
