"""What a proposer is shown and what it answers: the one protocol all proposers speak."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from flagstone.agents.accounts import Budget
from flagstone.experiments.candidates import FileStatus, everything_in
from flagstone.experiments.ledger import Entry
from flagstone.plans import Escalation, Home, Spec


class Advice(StrEnum):
    """What the next proposal is advised to do. `halt` ends the experiment only with `stopping.on_halt`."""

    NORMAL = "normal"
    REFINE = "refine"
    PIVOT = "pivot"
    SEARCH = "search"
    HALT = "halt"


def advice_after(failures: int, steps: Escalation) -> Advice:
    """The advice after so many failures since the last gain, which resets it."""
    pivots, streak = divmod(failures, steps.pivot_after)
    if failures >= steps.most_failures:
        return Advice.HALT
    if streak >= steps.refine_after:
        return Advice.REFINE
    if streak or not pivots:
        return Advice.NORMAL
    return Advice.PIVOT if pivots % steps.search_after_pivots else Advice.SEARCH


@dataclass(frozen=True)
class Guidance:
    """What a prompt says besides: `wanted` are ideas of people, the newest first, and `earlier` what failed before this
    experiment, a line each. No prompt mentions the failed runs in `dropped`.
    """

    wanted: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    dropped: frozenset[str] = frozenset()


@dataclass(frozen=True)
class View:
    """The experiment as proposal `number` may know it: the first `number - lag` verdicts, never a later one.

    `diff(a, b)` is the difference of two trees as text; `tail(entry)` the end of a run's log; `say` prints a line.
    `failures` are those since the last gain. `rework` is the run that the guard refused, if this proposal is to go on
    from its files. `tokens` is what one call may use. `start` is the run to start from, if it is not the best.
    `touched_in(draft)` is what was written in the draft, and more; what is gone has no status.
    """

    number: int
    spec: Spec
    home: Home
    entries: Sequence[Entry]
    best: Entry | None
    diff: Callable[[str, str], str]
    tail: Callable[[Entry], str]
    say: Callable[[str], None] = lambda _: None
    failures: int = 0
    rework: Entry | None = None
    tokens: int | None = None
    guidance: Guidance = field(default_factory=Guidance)
    start: Entry | None = None
    touched_in: Callable[[Path], Iterable[tuple[str, FileStatus]]] = everything_in

    @property
    def parent(self) -> Entry | None:
        """The run whose files are in the draft. None for the unedited files."""
        return self.start or self.rework or self.best

    @property
    def level(self) -> Advice:
        """The step of the escalation that this proposal is at."""
        return advice_after(self.failures, self.spec.escalation)


@dataclass(frozen=True)
class Proposed:
    """What a proposer says of the edit it has made in the draft folder. `failure` if it made none.

    `violations` say what it did that it may not do. The edit then counts for nothing.
    """

    note: str = ""
    failure: str = ""
    is_fatal: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    violations: tuple[str, ...] = ()


@dataclass(frozen=True)
class AgentSetup:
    """What a run sets for the agents of its experiments: the driver's options, model, budgets, and the stage.

    `instructions` are words of a person for every prompt. `environment` are variables of the agent alone, all secret.
    """

    options: Mapping[str, object] = field(default_factory=dict)
    model: str | None = None
    budgets: Sequence[Budget] = ()
    stage: str = ""
    instructions: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


class Proposer(Protocol):
    """Edits the mutable files in `draft`, a private copy of the parent, and says what it tried."""

    def propose(self, view: View, draft: Path, record_dir: Path) -> Proposed: ...


def start_of(proposer: Proposer, view: View) -> Entry | None:
    """The run that a proposer wants to start from. None if it leaves that open: then it is the best."""
    choose = getattr(proposer, "parent", None)
    return choose(view) if choose and view.rework is None else None
