"""The frame of every call of an agent: its budgets, its records, its log, and a look at what it may not touch."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from flagstone.agents.accounts import Budget, CallFacts, Claim, Patience, Reservation, append_call, record_of, reserve
from flagstone.agents.changes import differences, stats_of_grant
from flagstone.agents.event_log import open_event_log
from flagstone.agents.protocol import Agent, AgentCall, AgentResult, CallInterrupted, CallOutcome, Event, Usage
from flagstone.errors import FlagstoneError, Interrupted
from flagstone.processes import Redactor, SandboxError
from flagstone.records import plain_value, utc, write_atomic, write_record

# Called before a call, it returns what is called after it: with the result, or with None if there is none.
# That returns in words what the agent changed and should not have.
Guard = Callable[[AgentCall], Callable[[AgentResult | None], Sequence[str]]]


def no_guard(call: AgentCall) -> Callable[[AgentResult | None], Sequence[str]]:
    """Looks at nothing."""
    return lambda result: ()


@dataclass(frozen=True)
class CallFrame:
    """What surrounds every call of one agent, whatever drives it.

    A call is counted towards `budgets` before it starts; without budgets it only leaves its line in the log.
    Records of a call that is not `is_durable` may be lost in a power cut.
    """

    agent: Agent
    log: Path
    budgets: Sequence[Budget] = ()
    guard: Guard = no_guard
    patience: Patience = field(default_factory=Patience)
    is_durable: bool = True

    @contextmanager
    def claim(self, call: AgentCall) -> Iterator[ClaimedCall]:
        """Claims what a call may use; WorkFailed if a budget is used up. The call is made within the context."""
        if not self.budgets:
            yield ClaimedCall(self)
            return
        conversation = call.conversation
        about = {**vars(CallFacts.of(call)), "agent": self.agent.name, "session_id": conversation.session_id}
        with reserve(self.log, self.budgets, Claim.of_call(call.limits, about), self.patience) as reservation:
            yield ClaimedCall(self, reservation)

    def carry_out(self, call: AgentCall, on_event: Callable[[Event], None] = lambda event: None) -> AgentResult:
        """Claims what a call may use, and makes it."""
        with self.claim(call) as claimed:
            return claimed.carry_out(call, on_event)


@dataclass(frozen=True)
class ClaimedCall:
    """A call that may start. Without a reservation nothing limits it but its own limits."""

    frame: CallFrame
    reservation: Reservation | None = None

    def carry_out(self, call: AgentCall, on_event: Callable[[Event], None] = lambda event: None) -> AgentResult:
        """Makes the call. However it ends, it leaves its prompt, its events, its line in the log and its result."""
        limits = self.reservation.limits_for(call.limits) if self.reservation else call.limits
        call, durable = replace(call, limits=limits), self.frame.is_durable
        write_atomic(call.record_dir / "prompt.md", call.prompt.encode("utf-8", "replace"), durable=durable)
        began, before = time.time(), stats_of_grant(call)
        end_guard = self.frame.guard(call)
        try:
            result = self.drive(call, on_event)
        except BaseException as error:
            end_guard(None)
            self.append_line(call, cut_off(call, error, began), began)
            raise
        changed = differences(before, stats_of_grant(call), call.task.run_root)
        result = replace(result, violations=without_secrets(call, (*result.violations, *end_guard(result))))
        self.append_line(call, result, began)
        result = replace(result, changed=without_secrets(call, changed))
        write_record(call.record_dir / "result.json", plain_value(result), durable=durable)
        return result

    def drive(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult:
        """The driver's own part; every event goes to the call's own log and to whoever watches."""
        with open_event_log(call.record_dir / "events.log") as write:

            def on_each(event: Event) -> None:
                write(event)
                on_event(event)

            return self.frame.agent.call(call, on_each)

    def append_line(self, call: AgentCall, result: AgentResult, began: float) -> None:
        wall_s = round(time.time() - began, 3)
        line = {"agent": self.frame.agent.name, **record_of(call, result), "wall_s": wall_s}
        if self.reservation:
            self.reservation.append(line)
        else:
            append_call(self.frame.log, line)


def without_secrets(call: AgentCall, words: Sequence[str]) -> tuple[str, ...]:
    """The names of files, which an agent may have chosen to hold a secret."""
    redactor = Redactor.of(os.environ, secret=call.environment)
    return tuple(redactor.clean(os.fsencode(word)).decode("utf-8", "replace") for word in words)


def cut_off(call: AgentCall, error: BaseException, began: float) -> AgentResult:
    """The result of a call that ended in an error; one that was refused before it started cost nothing."""
    if isinstance(error, CallInterrupted):
        return replace(error.result, started_at=utc(began))
    outcome = outcome_of(error)
    is_free = outcome is CallOutcome.CONFIG or isinstance(error, SandboxError)
    return AgentResult(
        outcome,
        type(error).__name__,
        "",
        call.conversation.session_id,
        cost_usd=0.0 if is_free else None,
        usage=Usage(0, 0) if is_free else Usage(),
        started_at=utc(began),
    )


def outcome_of(error: BaseException) -> CallOutcome:
    if isinstance(error, Interrupted | KeyboardInterrupt):
        return CallOutcome.INTERRUPTED
    return CallOutcome.CONFIG if type(error) is FlagstoneError else CallOutcome.CRASHED
