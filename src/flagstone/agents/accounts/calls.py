"""One line for every call of an agent in logs/agents.jsonl, and what the calls have cost."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.agents.accounts import inflight
from flagstone.agents.protocol import AgentCall, AgentResult, valid_amount, valid_count, value_at
from flagstone.locks import sole_use
from flagstone.records import Ledger, decode_or_none, plain_value, utc

LOG = "agents.jsonl"
USE = "use"  # a line of this kind is no call: it tells what else was used
CallLine = Mapping[str, Any]


@dataclass(frozen=True)
class Spending:
    """What some calls came to. A sum with an unknown part is unknown; `known_usd` is what is certain."""

    calls: int
    cost_usd: float | None
    known_usd: float
    unknown_calls: int
    input_tokens: int | None
    output_tokens: int | None
    wall_s: float = 0.0
    gpu_s: float = 0.0


def line_of(call: AgentCall, result: AgentResult) -> dict[str, object]:
    """What the log says of a call: everything about it except its texts."""
    record = plain_value(result)
    facts = {name: record[name] for name in record if name not in ("text", "structured", "changed")}
    return {**facts_of_call(call), **facts}


def facts_of_call(call: AgentCall) -> dict[str, object]:
    return {
        "stage": call.task.stage,
        "experiment": call.task.experiment,
        "attempt": call.task.attempt,
        "title": call.task.title,
        "mode": call.mode.value,
        "model": call.model,
        "resumed": call.conversation.resume,
    }


def append_call(log: Path, line: dict[str, object]) -> None:
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
    lines = (decode_or_none(raw, dict[str, Any]) for raw in Ledger(log).raw_lines() if f'"{run}"'.encode() in raw)
    return any(line and (line.get("experiment"), line.get("run")) == (experiment, run) for line in lines)


def lines_of(log: Path) -> list[dict[str, Any]]:
    """Every line of a log, and one for each call whose maker was killed before it could write its own."""
    lines = Ledger(log).entries()
    known = {line.get("call") for line in lines}
    now_s = time.time()
    killed = [record for record in inflight.open_records(log) if record.number not in known and record.is_over(now_s)]
    return [*lines, *({"call": each.number, **each.line_if_killed(now_s)} for each in killed)]


def spending(log: Path) -> Spending:
    """What the calls of a run have cost so far."""
    return sum_of(lines_of(log))


def sum_of(lines: Iterable[CallLine], stage: str | None = None, experiment: str | None = None) -> Spending:
    """What these calls, or those of one stage or experiment, have cost."""
    chosen = [
        line
        for line in lines
        if (stage is None or line.get("stage") == stage)
        and (experiment is None or line.get("experiment", "") == experiment)
    ]
    calls = [line for line in chosen if is_call(line)]
    costs = [valid_amount(line.get("cost_usd")) for line in calls]
    known = [cost for cost in costs if cost is not None]
    return Spending(
        calls=len(calls),
        cost_usd=sum(known) if len(known) == len(costs) else None,
        known_usd=sum(known),
        unknown_calls=len(costs) - len(known),
        input_tokens=tokens(calls, "input_tokens"),
        output_tokens=tokens(calls, "output_tokens"),
        wall_s=sum(valid_amount(line.get("wall_s")) or 0.0 for line in calls),
        gpu_s=sum(valid_amount(line.get("gpu_s")) or 0.0 for line in chosen),
    )


def is_call(line: CallLine) -> bool:
    return line.get("kind") != USE


def tokens(lines: list[CallLine], name: str) -> int | None:
    """A sum of tokens; None as soon as one call did not count them."""
    counts = [valid_count(value_at(line, f"usage.{name}")) for line in lines]
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
