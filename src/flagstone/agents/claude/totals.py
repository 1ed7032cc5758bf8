"""The whole cost of a conversation with Claude Code: from its results, or from what the CLI saved as it was stopped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flagstone.agents.claude.events import Stream, object_on
from flagstone.agents.conversation import SessionFolder
from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome, Usage, valid_amount, valid_count

NAMES = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "cache_read_tokens": "cacheReadInputTokens",
    "cache_write_tokens": "cacheCreationInputTokens",
}
NOTHING = Usage(0, 0, 0, 0)
LAST_LINE_BYTES = 65_536


@dataclass(frozen=True)
class Totals:
    """The cost and the tokens of a conversation since its first call. Tokens are None if nobody counted them."""

    cost_usd: float = 0.0
    usage: Usage = NOTHING

    @classmethod
    def of_result(cls, stream: Stream) -> Totals | None:
        """The totals in the result of a call."""
        cost = stream.total_cost_usd
        return None if cost is None else cls(cost, usage_of_models(stream.result or {}))

    @classmethod
    def known_in(cls, folder: SessionFolder) -> Totals:
        """The totals when the conversation's latest call ended that told or saved them."""
        tokens = folder.fact("total_tokens")
        counts = tokens if isinstance(tokens, Mapping) else {}
        usage = Usage(**{name: valid_count(counts.get(name)) for name in NAMES}) if counts else NOTHING
        return cls(valid_amount(folder.fact("total_cost_usd")) or 0.0, usage)

    def facts(self) -> dict[str, object]:
        """The totals as facts of a conversation."""
        return {"total_cost_usd": self.cost_usd, "total_tokens": dict(vars(self.usage))}

    def is_plausible(self, before: Totals, outcome: CallOutcome) -> bool:
        """Whether these can be the conversation's: a call that never reached it reports zero."""
        return self.cost_usd >= before.cost_usd and (self.cost_usd > 0 or outcome is CallOutcome.OK)

    def since(self, before: Totals, said: Usage) -> Totals:
        """One call's share; `said` is what the call itself counted."""
        # a total below the last one is not a total: this version counts each call by itself
        is_total = self.cost_usd >= before.cost_usd
        cost_usd = self.cost_usd - before.cost_usd if is_total else self.cost_usd
        counts = {name: difference(getattr(self.usage, name), getattr(before.usage, name)) for name in NAMES}
        return Totals(cost_usd, Usage(**counts) if is_total and None not in counts.values() else said)


def usage_of_models(result: Mapping[str, Any]) -> Usage:
    """All tokens of a conversation, over every model it has used."""
    models = result.get("modelUsage")
    rows = [row for row in models.values() if isinstance(row, Mapping)] if isinstance(models, Mapping) else []
    if not rows:
        return Usage()
    return Usage(**{name: sum(valid_count(row.get(spelled)) or 0 for row in rows) for name, spelled in NAMES.items()})


def difference(total: int | None, before: int | None) -> int | None:
    return total - before if total is not None and before is not None and total >= before else None


def saved_totals(folder: SessionFolder, session_id: str) -> Totals | None:
    """The totals that the CLI saved as it ended; None if it was killed, since it then goes on from older ones.

    It saves them with the conversation, as the last line of it, and a later call adds to what stands there.
    """
    found = list(folder.config.glob(f"projects/*/{session_id}.jsonl"))
    try:
        with open(found[0], "rb") as lines:
            lines.seek(max(0, os.fstat(lines.fileno()).st_size - LAST_LINE_BYTES))
            last = object_on(lines.read().rstrip().rpartition(b"\n")[2]) or {}
    except (IndexError, OSError):
        return None
    cost = valid_amount(last.get("totalCostUSD"))
    if last.get("type") != "cost-state" or last.get("sessionId") != session_id or cost is None:
        return None
    return Totals(cost, usage_of_models(last))


@dataclass(frozen=True)
class Account:
    """What a call costs, as the difference that it makes to the totals of its conversation."""

    call: AgentCall
    folder: SessionFolder

    def charge(self, result: AgentResult, stream: Stream) -> AgentResult:
        """The result with the cost of the call, which is unknown if the CLI was killed; notes the new totals."""
        before = Totals.known_in(self.folder) if self.call.conversation.resume else Totals()
        total = Totals.of_result(stream) or saved_totals(self.folder, self.call.conversation.session_id)
        if total is None:
            is_refused = stream.events == 0 and not stream.odd_text and (result.exit_code or 0) in range(1, 128)
            return replace(result, cost_usd=0.0, usage=NOTHING) if is_refused else result
        if total.is_plausible(before, result.outcome):
            self.folder.note(**total.facts())
        share = total.since(before, stream.usage)
        return replace(result, cost_usd=share.cost_usd, usage=share.usage)
