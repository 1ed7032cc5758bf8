"""The lines of a trial's ledger: a run, a pre-registration, an idea, a look, the verdict, a denied call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flagstone.trials.outcomes import (
    CheckResult,
    CompareResult,
    IdeaOutcome,
    LookResult,
    Outcome,
    RunStatus,
    ScreenResult,
)


@dataclass(frozen=True)
class RunLine:
    """A run that has an outcome. `basis` is the digest of everything that its number holds for."""

    arm: str
    slot: str
    status: RunStatus
    basis: str
    at: str
    value: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    wall_s: float = 0.0
    reason: str = ""
    exit_code: int | None = None
    host: str = ""
    environment: str = ""  # the digest of what the run found on its machine; empty in lines of earlier versions
    kind: Literal["run"] = "run"


@dataclass(frozen=True)
class Earlier:
    """A trial that asked the same before. `alpha` is what it had; None under a gate without α."""

    trial: str
    at: str
    outcome: str  # as it was known when the later trial was sealed
    alpha: float | None = None


@dataclass(frozen=True)
class PreregLine:
    """What was sealed before the first treated run. `exploratory` says why its result cannot be SUPPORTED, if so."""

    digest: str
    number: int
    alpha: float
    at: str
    exploratory: str = ""
    earlier: tuple[Earlier, ...] = ()
    kind: Literal["prereg"] = "prereg"


@dataclass(frozen=True)
class IdeaLine:
    """An idea that has become code. `lines` is the size of its diff, as we count it."""

    arm: str
    title: str
    tree: str
    commit: str
    at: str
    switch: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    lines: int = 0
    failure: str = ""  # why there is no code, if there is none
    is_untried: bool = False  # whether there is none because nothing was left to have it with
    kind: Literal["idea"] = "idea"


@dataclass(frozen=True)
class LookLine:
    """A step that was decided, from the runs that it names (as `control-a1`)."""

    step: int
    what: Literal["baseline", "checks", "screen", "compare", "confirm"]
    at: str
    arm: str = ""  # empty: of all arms
    runs: tuple[str, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    screen: ScreenResult | None = None
    compare: CompareResult | None = None
    looks: tuple[LookResult, ...] = ()  # one for each confirmed arm
    facts: Mapping[str, float | bool | str | None] = field(default_factory=dict)
    kind: Literal["look"] = "look"


@dataclass(frozen=True)
class VerdictLine:
    """How the trial ended, idea by idea. Reveals the confirmation seeds and their salt."""

    outcome: Outcome
    ideas: tuple[IdeaOutcome, ...]
    at: str
    exploratory: str = ""
    seeds: Mapping[str, int] = field(default_factory=dict)
    salt: str = ""
    reason: str = ""
    kind: Literal["verdict"] = "verdict"


@dataclass(frozen=True)
class DenialLine:
    """A call that asked for what it may not have, such as a confirmation seed."""

    asked: str
    reason: str
    at: str
    kind: Literal["denied"] = "denied"


Line = RunLine | PreregLine | IdeaLine | LookLine | VerdictLine | DenialLine
