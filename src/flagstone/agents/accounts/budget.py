"""What runs, stages and experiments may spend, and what is left of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf
from pathlib import Path

from flagstone.agents.accounts import inflight
from flagstone.agents.accounts.call_line import CallLine
from flagstone.agents.accounts.calls import lines_of
from flagstone.agents.protocol import Limits, Usage, valid_count
from flagstone.errors import WorkFailed
from flagstone.text import count_text

BUDGET_NAMES = ("usd", "tokens", "agent_calls", "wall_h", "gpu_h")
TINY = 1e-9


class BudgetUsedUp(WorkFailed):
    """A call cannot start, because nothing is left of a budget."""


@dataclass(frozen=True)
class Budget:
    """One budget, and whose calls draw on it: all of a run's, one stage's, or one experiment's."""

    whose: str
    limits: Mapping[str, float]
    stage: str = ""
    experiment: str = ""

    @classmethod
    def of(cls, whose: str, limits: Mapping[str, float | None], *, stage: str = "", experiment: str = "") -> Budget:
        """The budget that settings write as `limits`. What they do not name, or leave empty, has no limit."""
        return cls(whose, {name: limit for name, limit in limits.items() if limit is not None}, stage, experiment)

    def covers(self, line: CallLine) -> bool:
        """Whether a line of the log counts towards this budget."""
        return self.stage in ("", line.stage) and self.experiment in ("", line.experiment)


@dataclass(frozen=True)
class Claim:
    """What one call, or one measurement, may use: None is as much as there is, and what is not named is nothing.

    `about` goes into its record: stage, experiment, agent, session_id, and whatever else identifies the call.
    """

    about: Mapping[str, object]
    wanted: Mapping[str, float | None]

    @classmethod
    def of_call(cls, limits: Limits, about: Mapping[str, object]) -> Claim:
        """What an agent call claims."""
        wanted = {"usd": limits.cost_usd, "tokens": limits.tokens, "agent_calls": 1, "wall_h": limits.wall_s / 3600}
        return cls(about, wanted)


@dataclass(frozen=True)
class Balance:
    """What was used, and what running calls may still use."""

    lines: Sequence[CallLine]
    open_calls: Sequence[CallLine]

    @classmethod
    def of(cls, log: Path) -> Balance:
        """The balance of a log, and of the calls that run now."""
        lines = lines_of(log)
        closed = {line.call for line in lines}
        open_calls = [record.line for record in inflight.open_records(log) if record.number not in closed]
        return cls(lines, open_calls)

    def use(self, budget: Budget, name: str) -> float:
        """How much of one thing was used. A call of unknown use counts as all that it was allowed."""
        return sum(use_of(line, name) for line in self.lines if budget.covers(line))

    def open_use(self, budget: Budget, name: str) -> float:
        return sum(line.allowed_amount(name) or 0.0 for line in self.open_calls if budget.covers(line))

    def unknown_calls(self, budget: Budget, name: str) -> int:
        """How many calls count as all that they were allowed, because their use is unknown."""
        mine = (line for line in self.lines if budget.covers(line) and line.is_call)
        return sum(known_use(line, name) is None for line in mine)

    def grant(self, budgets: Sequence[Budget], claim: Claim) -> dict[str, float | None] | None:
        """What the claim gets. None if it has to wait; BudgetUsedUp if there is nothing left."""
        granted = dict(claim.wanted)
        has_to_wait = False
        for budget in budgets:
            for name in (name for name in budget.limits if name in claim.wanted):
                left = budget.limits[name] - self.use(budget, name)
                if left <= TINY:
                    raise self.used_up_error(budget, name)
                wanted = granted[name]
                granted[name] = min(inf if wanted is None else wanted, left)
                has_to_wait |= granted[name] > left - self.open_use(budget, name) + TINY  # type: ignore[operator]
        return None if has_to_wait else granted

    def used_up_error(self, budget: Budget, name: str) -> BudgetUsedUp:
        words = f"{name} {self.use(budget, name):g} of {budget.limits[name]:g}"
        unknown = self.unknown_calls(budget, name)
        if unknown:
            words += f"; {count_text(unknown, 'call')} without a report counted at the limit"
        return BudgetUsedUp(
            f"the budget of {budget.whose} is used up: {words}",
            hint="raise `budget` in run.yaml, then run it again; flagstone cost shows every call",
        )

    def waiting_words(self, budgets: Sequence[Budget]) -> str:
        who = sorted({name_of(line) for line in self.open_calls if any(budget.covers(line) for budget in budgets)})
        return f"waiting: a running call may need what is left of the budget ({', '.join(who)})"


def name_of(line: CallLine) -> str:
    found = [f"{name} {value}" for name, value in (("stage", line.stage), ("experiment", line.experiment)) if value]
    return " ".join(found) or "another"


def use_of(line: CallLine, name: str) -> float:
    known = known_use(line, name)
    return line.allowed_amount(name) or 0.0 if known is None else known


def known_use(line: CallLine, name: str) -> float | None:
    """How much of one thing a line says was used. Returns None if it does not say."""
    if name == "gpu_h":
        return line.gpu_hours
    if not line.is_call:
        return 0.0
    match name:
        case "usd":
            return line.cost
        case "tokens":
            return tokens_of(line)
        case "wall_h":
            return line.wall_hours
    return 1.0


def tokens_of(line: CallLine) -> float | None:
    """All tokens of a call, with cached ones. Returns None if those in or those out are unknown."""
    counts = [valid_count(getattr(line.usage, each.name)) for each in fields(Usage)]
    return None if None in counts[:2] else float(sum(count or 0 for count in counts))
