"""What a report needs from a ledger, read in one pass. Its size grows with the number of gains, not of runs."""

from __future__ import annotations

import re
from array import array
from bisect import insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from flagstone.experiments.ledger import LedgerRow
from flagstone.text import one_line

EXTREMES = 3


@dataclass
class Tried:
    """The settings of one parameter that runs have tried, and the value of each of these runs."""

    settings: list[Any] = field(default_factory=list)
    values: array[float] = field(default_factory=lambda: array("d"))


@dataclass
class LedgerSummary:
    """All runs, folded. `kept` holds every gain by its run, the baseline first."""

    direction: str
    first: LedgerRow | None = None
    last: LedgerRow | None = None
    measured: int = 0
    best: list[LedgerRow] = field(default_factory=list)
    tail: list[LedgerRow] = field(default_factory=list)
    kept: dict[str, LedgerRow] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    last_failures: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Tried] = field(default_factory=dict)
    project_changes: list[str] = field(default_factory=list)

    @property
    def worst(self) -> list[LedgerRow]:
        """The worst runs that are not among the best, the worst one first."""
        count = min(EXTREMES, self.measured - len(self.best))
        return self.tail[len(self.tail) - count :][::-1]

    def add(self, entry: LedgerRow) -> None:
        self.first, self.last = self.first or entry, entry
        if entry.improved:
            self.kept[entry.run_id] = entry
        self.project_changes += [f"before {entry.run_id}: {words}" for words in entry.project_changes]
        if entry.status != "ok" or not entry.valid:
            kind = kind_of(entry)
            self.failures[kind] += 1
            self.last_failures[kind] = entry.run_id
        if entry.value is not None:
            for name, setting in (entry.proposal.get("parameters") or {}).items():
                tried = self.parameters.setdefault(name, Tried())
                tried.settings.append(setting)
                tried.values.append(entry.value)
            if entry.valid:
                self.rank(entry, entry.value)

    def rank(self, entry: LedgerRow, value: float) -> None:
        """Puts a run among the best and the worst, if it belongs there."""
        self.measured += 1
        sign = 1 if self.direction == "min" else -1
        if len(self.best) < EXTREMES or sign * value < sign * (self.best[-1].value or 0.0):
            insort(self.best, entry, key=lambda each: sign * (each.value or 0.0))
            del self.best[EXTREMES:]
        if len(self.tail) < EXTREMES or sign * value >= sign * (self.tail[0].value or 0.0):
            insort(self.tail, entry, key=lambda each: sign * (each.value or 0.0))
            del self.tail[:-EXTREMES]


def summary_of(entries: Iterable[LedgerRow], direction: str) -> LedgerSummary:
    summary = LedgerSummary(direction)
    for entry in entries:
        summary.add(entry)
    return summary


def kind_of(entry: LedgerRow) -> str:
    """How and why a run failed, with the numbers left out that differ from run to run."""
    # an exit code tells kinds apart; other numbers do not
    reason = re.sub(r"(?<!exit code )\b\d+(?:\.\d+)?", "N", one_line(entry.reason, 80))
    if not entry.has_proposal:
        return reason
    return f"{'broken constraint or guard' if entry.status == 'ok' else entry.status} ({reason})"
