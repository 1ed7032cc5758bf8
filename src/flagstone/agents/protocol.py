"""What every agent is asked and what it answers: the one protocol all drivers speak."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Literal, Protocol

from flagstone.errors import Interrupted
from flagstone.text import one_line

EventKind = Literal["session", "thinking", "text", "tool", "result", "final", "notice"]


class Mode(StrEnum):
    """How far an agent may go: change named files, work with tools, or only judge."""

    EDIT = "edit"
    WORK = "work"
    JUDGE = "judge"


class CallOutcome(StrEnum):
    """How a call ended, in the words the engines decide by."""

    OK = "ok"
    RETRYABLE = "retryable"
    AUTH = "auth"
    SESSION_LOST = "session_lost"
    SESSION_BUSY = "session_busy"
    BUDGET = "budget"
    TURNS = "turns"
    CONTEXT = "context"
    SCHEMA = "schema"
    INTERRUPTED = "interrupted"
    CRASHED = "crashed"
    MALFORMED = "malformed"
    CONFIG = "config"
    TIMEOUT = "timeout"
    SILENT = "silent"
    UNCLEAN = "unclean"


@dataclass(frozen=True)
class Limits:
    """How long, how silently, how many turns, how much money and how many tokens one call may take."""

    wall_s: float
    silence_s: float
    turns: int
    cost_usd: float | None
    tokens: int | None = None


@dataclass(frozen=True)
class Conversation:
    """A conversation to start (`resume` false) or to take up again."""

    session_id: str
    resume: bool


@dataclass(frozen=True)
class Task:
    """What a call is for: a stage such as "03" or an experiment, and the draft that it should leave."""

    stage: str
    title: str
    attempt: int
    run_root: Path
    draft: Path
    experiment: str = ""


@dataclass(frozen=True)
class AgentCall:
    """One request: the agent works in `task.run_root`; its transcript goes below `record_dir`.

    `sandbox` is what the run is set to; `hidden` is what it cannot see if bubblewrap is used. `environment` are
    variables of this call alone. Their values are secret.
    """

    prompt: str
    conversation: Conversation
    task: Task
    mode: Mode
    writable: tuple[Path, ...]
    model: str | None
    limits: Limits
    record_dir: Path
    options: Mapping[str, object]
    reply_schema: Mapping[str, object] | None = None
    sandbox: str = "auto"
    hidden: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


def own_git_only(call: AgentCall) -> dict[str, str]:
    """The environment that keeps git, started in the work, from finding the person's repository around it."""
    return {"GIT_CEILING_DIRECTORIES": str(call.task.run_root.parent)}


@dataclass(frozen=True)
class Usage:
    """Tokens of one call; None if the agent did not report them."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None


@dataclass(frozen=True)
class AgentResult:
    """The result of a call. An unknown cost, usage or number of turns is None, never 0.

    `sandbox` says what held the agent, such as `landlock+bubblewrap`; `changed` what it changed of its grant,
    `violations` what it changed besides.
    """

    outcome: CallOutcome
    reason: str
    text: str
    session_id: str
    exit_code: int | None = None
    cost_usd: float | None = None
    usage: Usage = Usage()
    turns: int | None = None
    tools: Mapping[str, int] = field(default_factory=dict)
    denied: tuple[str, ...] = ()
    retry_after_s: float | None = None
    structured: object | None = None
    started_at: str = ""
    ended_at: str = ""
    sandbox: str = ""
    violations: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    @classmethod
    def never_started(cls, call: AgentCall, outcome: CallOutcome, reason: str) -> AgentResult:
        """The result of a call that cost nothing, because it never started."""
        return cls(outcome, reason, "", call.conversation.session_id, cost_usd=0.0, usage=Usage(0, 0, 0, 0))


class CallInterrupted(Interrupted):
    """A call was stopped in the middle; `result` is what is known of it."""

    def __init__(self, error: Interrupted, result: AgentResult) -> None:
        super().__init__(error.problem, hint=error.hint)
        self.result = result


@dataclass(frozen=True)
class Event:
    """One readable line of what an agent is doing right now."""

    kind: EventKind
    text: str

    @classmethod
    def of(cls, kind: EventKind, text: str) -> Event:
        """An event whose text is safe to print: one line, no control characters, cut to length."""
        return cls(kind, one_line(text))


class Agent(Protocol):
    """A driver: it carries out one call, and says beforehand whether it can."""

    @property
    def name(self) -> str: ...

    def call(self, call: AgentCall, on_event: Callable[[Event], None]) -> AgentResult: ...

    def fault(self) -> tuple[str, str] | None:
        """None when usable; otherwise the problem and its cure."""
        ...


def names(value: object) -> tuple[str, ...]:
    """A list of words, or none."""
    return tuple(str(name) for name in value) if isinstance(value, list | tuple) else ()


def value_at(value: object, path: str) -> object:
    """The value at a dotted path, such as `usage.input_tokens`. Returns None if there is none."""
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value


def amount(value: object) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if isfinite(value) else None


def valid_amount(value: object) -> float | None:
    """A cost or a duration. Returns None if it is unknown or negative."""
    number = amount(value)
    return None if number is None or number < 0 else number


def valid_count(value: object) -> int | None:
    """A count. Returns None for anything else."""
    number = valid_amount(value)
    return None if number is None else int(number)
