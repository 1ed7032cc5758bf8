"""The whole cost of a conversation with Claude Code: from its results, or asked for after a call was cut off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flagstone.agents import sandbox
from flagstone.agents.claude.events import Stream
from flagstone.agents.claude.launch import environment, inquiry
from flagstone.agents.conversation import SessionFolder
from flagstone.agents.protocol import AgentCall, Mode, Outcome, Usage, paid, whole
from flagstone.errors import FlagstoneError
from flagstone.processes import Command, Output, ProcessLimits, run

NAMES = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "cache_read_tokens": "cacheReadInputTokens",
    "cache_write_tokens": "cacheCreationInputTokens",
}
ASKING_S = 60.0
NOTHING = Usage(0, 0, 0, 0)
# nobody answers there: whatever the CLI does with the question, it costs nothing
NOWHERE = {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9", "CLAUDE_CODE_MAX_RETRIES": "0"}


@dataclass(frozen=True)
class Totals:
    """What a conversation came to, from its first call on. Tokens are None if nobody counted them."""

    cost_usd: float = 0.0
    usage: Usage = NOTHING

    @classmethod
    def of_result(cls, stream: Stream) -> Totals | None:
        """The totals in the result of a call."""
        cost = stream.total_cost_usd
        return None if cost is None else cls(cost, usage_of_models(stream.result or {}))

    @classmethod
    def known_in(cls, folder: SessionFolder) -> Totals:
        """The totals when the conversation's last result came."""
        tokens = folder.fact("total_tokens")
        counts = tokens if isinstance(tokens, Mapping) else {}
        usage = Usage(**{name: whole(counts.get(name)) for name in NAMES}) if counts else NOTHING
        return cls(paid(folder.fact("total_cost_usd")) or 0.0, usage)

    def facts(self) -> dict[str, object]:
        """The totals as facts of a conversation of which nothing is unknown now."""
        return {"total_cost_usd": self.cost_usd, "total_tokens": dict(vars(self.usage)), "is_open": False}

    def is_plausible(self, before: Totals, outcome: Outcome) -> bool:
        """Whether these can be the conversation's: a call that never reached it reports zero."""
        return self.cost_usd >= before.cost_usd and (self.cost_usd > 0 or outcome is Outcome.OK)

    def since(self, before: Totals, said: Usage) -> Totals:
        """One call's share, and that of calls before it that were cut off; `said` is what the call itself counted."""
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
    return Usage(**{name: sum(whole(row.get(spelled)) or 0 for row in rows) for name, spelled in NAMES.items()})


def difference(total: int | None, before: int | None) -> int | None:
    return total - before if total is not None and before is not None and total >= before else None


def ask_totals(call: AgentCall, folder: SessionFolder, executable: str, environ: Mapping[str, str]) -> Totals | None:
    """Asks the CLI, not a model, for the cost of a conversation. None if it does not answer."""
    stream = Stream()
    env = {**environment(call, folder, environ), **NOWHERE}
    own = folder.root / "total.jsonl"
    try:
        private = (folder.config, folder.temporary)
        held = sandbox.confinement_for(replace(call, mode=Mode.JUDGE), private, environ=environ)
        command = Command(
            argv=inquiry(call, executable),
            target=None,
            cwd=call.task.run_root,
            env={name: value for name, value in env.items() if not name.startswith("CLAUDE_CODE_USE_")},
            stdin=b"/cost",
            owner=folder.owner,
            confinement=held,
        )
        run(command, ProcessLimits(ASKING_S, ASKING_S, grace_s=1), Output(own), lambda line: has_result(stream, line))
    except FlagstoneError:
        return None
    return Totals.of_result(stream)


def has_result(stream: Stream, line: bytes) -> bool:
    stream.read(line)
    return stream.result is not None
