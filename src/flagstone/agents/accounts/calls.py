"""One line for every call of an agent in logs/agents.jsonl, and what the calls have cost."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.agents.accounts import inflight
from flagstone.agents.accounts.call_line import USE, CallLine, line_in, line_of_record
from flagstone.agents.protocol import AgentCall, AgentResult, valid_amount, valid_count
from flagstone.locks import sole_use
from flagstone.records import Ledger, plain_value, utc

LOG = "agents.jsonl"


@dataclass(frozen=True)
class Spending:
    """The cost of some calls. A sum with an unknown part is unknown; `known_usd` is what is certain."""

    calls: int
    cost_usd: float | None
    known_usd: float
    unknown_calls: int
    input_tokens: int | None
    output_tokens: int | None
    wall_s: float = 0.0
    gpu_s: float = 0.0


@dataclass(frozen=True)
class CallFacts:
    """What a call is for, as every record of it says."""

    stage: str
    experiment: str
    attempt: int
    title: str
    mode: str
    model: str | None
    resumed: bool

    @classmethod
    def of(cls, call: AgentCall) -> CallFacts:
        task = call.task
        title, resumed = task.title, bool(call.conversation.resume)
        return cls(task.stage, task.experiment, task.attempt, title, call.mode.value, call.model, resumed)


def record_of(call: AgentCall, result: AgentResult) -> dict[str, object]:
    """What the log says of a call: everything about it except its texts."""
    record = plain_value(result)
    facts = {name: record[name] for name in record if name not in ("text", "structured", "changed")}
    return {**vars(CallFacts.of(call)), **facts}


def append_call(log: Path, line: Mapping[str, object]) -> None:
    """Adds one line, whoever else is writing at the same time."""
    with sole_use(log):
        Ledger(log).append(line)


def append_use(
    log: Path, *, stage: str = "", experiment: str = "", run: str = "", gpu_s: float, wall_s: float = 0.0
) -> None:
    """Notes what a run of an experiment has used: GPU seconds, and how long it took."""
    used = {"kind": USE, "stage": stage, "experiment": experiment, "run": run, "gpu_s": gpu_s, "wall_s": wall_s}
    append_call(log, {**used, "ended_at": utc(time.time())})


def has_use(log: Path, experiment: str, run: str) -> bool:
    """Whether a log tells of what this run of an experiment has used."""
    lines = (line_in(raw) for raw in Ledger(log).raw_lines() if f'"{run}"'.encode() in raw)
    return any(line and (line.experiment, line.run) == (experiment, run) for line in lines)


def lines_of(log: Path) -> list[CallLine]:
    """Every line of a log, and one for each call whose maker was killed before it could write its own."""
    lines = [line for raw in Ledger(log).raw_lines() if (line := line_in(raw)) is not None]
    return [*lines, *map(line_of_record, killed_calls(log, {line.call for line in lines}))]


def records_of(log: Path) -> list[dict[str, Any]]:
    """The same lines as they are on disk, for scripts."""
    records = Ledger(log).entries()
    return [*records, *killed_calls(log, {record.get("call") for record in records})]


def killed_calls(log: Path, known: Collection[object]) -> list[dict[str, Any]]:
    """The records of calls that left no line, because their process was killed."""
    now_s = time.time()
    killed = (each for each in inflight.open_records(log) if each.number not in known and each.is_over(now_s))
    return [{"call": each.number, **each.line_if_killed(now_s)} for each in killed]


def spending_of(log: Path) -> Spending:
    """What the calls of a run have cost so far."""
    return sum_of(lines_of(log))


def sum_of(lines: Iterable[CallLine], stage: str | None = None, experiment: str | None = None) -> Spending:
    """What these calls, or those of one stage or experiment, have cost."""
    chosen = [
        line
        for line in lines
        if (stage is None or line.stage == stage) and (experiment is None or line.experiment == experiment)
    ]
    calls = [line for line in chosen if line.is_call]
    known = [line.cost for line in calls if line.cost is not None]
    return Spending(
        calls=len(calls),
        cost_usd=sum(known) if len(known) == len(calls) else None,
        known_usd=sum(known),
        unknown_calls=len(calls) - len(known),
        input_tokens=sum_or_none(valid_count(line.usage.input_tokens) for line in calls),
        output_tokens=sum_or_none(valid_count(line.usage.output_tokens) for line in calls),
        wall_s=sum(valid_amount(line.wall_s) or 0.0 for line in calls),
        gpu_s=sum(valid_amount(line.gpu_s) or 0.0 for line in chosen),
    )


def sum_or_none(counts: Iterable[int | None]) -> int | None:
    """A sum. Returns None if one of the counts is unknown."""
    found = list(counts)
    known = [count for count in found if count is not None]
    return sum(known) if len(known) == len(found) else None
