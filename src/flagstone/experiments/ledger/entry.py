"""What the ledger says of one run, and what can be read off a ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flagstone.experiments.deciding import ConstraintCheck, RunVerdict, Status
from flagstone.experiments.measuring import CheckName, Measurement
from flagstone.statistics import mean

NO_PROPOSAL = "no proposal"
NOT_AN_IDEA = ("interrupted", "unclean")
HALT = "halt"


@dataclass(frozen=True)
class LedgerRow:
    """What a table shows of one run: its verdict, and the best after it.

    `value` is that of the first run, on the seed that every candidate is measured on; `judgement` has what pairs of
    repeats came to. Earlier versions wrote the mean of the repeats as `value`. `project_changes` says what else of
    the project a run can read, and was changed since the line before. `refused_by` is the check that did not let a
    gain pass.
    """

    number: int
    run_id: str
    parent_run: str
    tree: str
    commit: str
    note: str
    status: Status
    verdict: RunVerdict
    reason: str
    value: float | None
    valid: bool
    improved: bool
    previous_best: str
    best_run: str
    best_value: float | None
    proposal: Mapping[str, Any] = field(default_factory=dict)
    should_terminate: bool = False
    terminated_by: str = ""
    ended_at: str = ""
    judgement: Mapping[str, Any] = field(default_factory=dict)
    project_changes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    refused_by: CheckName | Literal[""] = ""

    @property
    def is_baseline(self) -> bool:
        """Whether these were the unedited files: they have no parent."""
        return not self.parent_run

    @property
    def has_proposal(self) -> bool:
        """Whether there was an edit to be measured: not if the proposer failed, or changed nothing."""
        return self.status != "invalid" or not self.reason.startswith(NO_PROPOSAL)

    @property
    def reworks(self) -> int:
        """Which rework of an idea that the guard refused this is, from 1. Returns 0 for an idea of its own."""
        return int(self.proposal.get("rework") or 0)

    @property
    def base_run(self) -> str:
        """The run that the whole edit was made from: of a rework, the one before the idea."""
        return str((self.proposal.get("base") or {}).get("run") or self.parent_run)

    @property
    def is_idea(self) -> bool:
        """Whether it counts as an experiment: the unedited files do not, nor does a rework."""
        return not self.is_baseline and not self.reworks

    @property
    def is_failure(self) -> bool:
        """Whether it is one more idea that failed. A rework is part of the idea that failed before it."""
        return self.is_idea and not self.improved and self.status not in NOT_AN_IDEA

    @property
    def is_carried(self) -> bool:
        """Whether this is the best of an earlier experiment, measured again on other files."""
        return bool(self.proposal.get("carried_from"))

    @property
    def has_halted(self) -> bool:
        """Whether it was one failure too many, so that a person has to look at the experiment."""
        return self.terminated_by == HALT

    @property
    def word(self) -> str:
        """What a person is shown as its outcome."""
        return self.verdict if self.has_proposal else NO_PROPOSAL


@dataclass(frozen=True)
class Entry(LedgerRow):
    """One line of the ledger: everything about one run. Times never decide anything.

    `measurements` are the candidate's; `beside` are those of the best on the same seeds, and each try of the guard and
    of the hidden check. What the hidden check found is for people alone: no prompt may have it.
    """

    constraints: tuple[ConstraintCheck, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    reference: tuple[tuple[int, float | None], ...] = ()
    beside: tuple[Measurement, ...] = ()
    contract: str = ""

    @property
    def first(self) -> Measurement | None:
        return self.measurements[0] if self.measurements else None

    def tries_of(self, check: CheckName) -> tuple[Measurement, ...]:
        """Every try of the guard or the hidden check."""
        return tuple(each for each in self.beside if each.part == check or each.part.startswith(f"{check}-"))

    @property
    def failed_guard(self) -> Measurement | None:
        """The last try of the guard that failed, if the guard refused this run."""
        is_refused = not self.improved and self.refused_by != "hidden"
        return next((each for each in reversed(self.tries_of("guard")) if is_refused and each.reason), None)

    @property
    def is_stopped_early(self) -> bool:
        return self.first is not None and self.first.is_stopped_early

    @property
    def typical_value(self) -> float | None:
        """The mean of its repeats: a first run that won was selected for its luck. Without repeats, its value."""
        runs = self.measurements if self.is_baseline else self.measurements[1:]
        values = [each.value for each in runs if each.value is not None]
        return mean(values) if values else self.value

    @property
    def checkpoint_fault(self) -> str:
        """Why its first run left no checkpoint. Returns '' if it did, or if none is asked for."""
        return self.first.checkpoint_fault if self.first else ""

    @property
    def wall_s(self) -> float:
        return sum(each.wall_s + each.evaluator_s for each in (*self.measurements, *self.beside))

    @property
    def gpu_s(self) -> float:
        return sum((each.wall_s + each.evaluator_s) * each.gpus for each in (*self.measurements, *self.beside))

    @property
    def cost_usd(self) -> float | None:
        """What the proposal cost. Returns None if the agent did not say."""
        cost = self.proposal.get("cost_usd", 0.0)
        return None if cost is None else float(cost)

    @property
    def spent_tokens(self) -> float:
        """The same of tokens."""
        known = self.proposal.get("tokens", 0)
        return float((self.proposal.get("tokens_at_most") if known is None else known) or 0)

    @property
    def spent_usd(self) -> float:
        """What counts towards a limit. A call of unknown cost counts with all that it was allowed."""
        return self.cost_usd if self.cost_usd is not None else float(self.proposal.get("cost_at_most_usd") or 0.0)
