"""What the calls for one proposal came to, for its line in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flagstone.agents import AgentResult
from flagstone.text import one_line


def facts_of(calls: Sequence[tuple[AgentResult, float]]) -> dict[str, Any]:
    """The sums over the calls. If one of them reported no cost, the cost is unknown."""
    results = [result for result, _ in calls]
    last = results[-1]
    costs = [result.cost_usd for result in results]
    tokens = [tokens_of(result) for result in results]
    return {
        "cost_usd": None if None in costs else sum(cost or 0.0 for cost in costs),
        "tokens": None if None in tokens else sum(count or 0 for count in tokens),
        "outcome": last.outcome.value,
        "reason": one_line(last.reason),
        "session_id": last.session_id,
        **({"violations": list(last.violations)} if last.violations else {}),
        "wall_s": round(sum(wall_s for _, wall_s in calls), 3),
        "calls": len(calls),
    }


def tokens_of(result: AgentResult) -> int | None:
    counts = (result.usage.input_tokens, result.usage.output_tokens)
    return None if None in counts else sum(count or 0 for count in vars(result.usage).values())
