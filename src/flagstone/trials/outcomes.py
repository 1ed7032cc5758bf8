"""What is known in a trial: runs, pairs, checks, screens, looks and verdicts. Positive improvement is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

RunStatus = Literal["ok", "crash", "timeout", "invalid"]
PairStatus = Literal["ok", "treated failed", "control failed", "both failed"]


class Outcome(StrEnum):
    """The word that a trial ends with for one idea, or a whole campaign."""

    SUPPORTED = "SUPPORTED"
    HARMFUL = "HARMFUL"
    NO_PRACTICAL_EFFECT = "NO PRACTICAL EFFECT"
    INCONCLUSIVE = "INCONCLUSIVE"
    DROPPED = "DROPPED AT SCREEN"
    FAILED_CHECK = "FAILED CHECK"
    NOT_SELECTED = "NOT SELECTED"
    NOT_TRIED = "NOT TRIED"
    PROCEED = "PROCEED"  # of the gate cohens_d
    REVERT = "REVERT"
    NOTHING_FOUND = "NOTHING FOUND"  # of a whole campaign
    STOPPED = "STOPPED"


@dataclass(frozen=True)
class RunOutcome:
    """One finished run of one arm. `value` is None unless it is ok. `seed` is None until it is revealed."""

    arm: str
    slot: str
    status: RunStatus
    value: float | None = None
    seed: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    wall_s: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Pair:
    """Control and treated run on one seed, and the improvement that counts after the failure rule."""

    slot: str
    control: float | None
    treated: float | None
    improvement: float | None
    status: PairStatus = "ok"
    seed: int | None = None


@dataclass(frozen=True)
class CheckResult:
    """The result of the check `off`, `on`, `size` or `scale` of one idea, with its reason in words."""

    check: str
    is_passed: bool
    reason: str
    facts: Mapping[str, float | bool | str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class ScreenResult:
    """What the screen of one idea came to: exploratory numbers."""

    arm: str
    n: int
    mean: float | None
    d: float | None
    is_dropped: bool
    reason: str = ""


@dataclass(frozen=True)
class CompareResult:
    """What the gate `cohens_d` made of one idea. `outcome` is None while it asks for two more seeds."""

    arm: str
    n: int
    mean: float | None
    d: float | None
    outcome: Outcome | None
    reason: str = ""


@dataclass(frozen=True)
class LookResult:
    """One look at the confirmation of one arm."""

    arm: str
    number: int  # from 1
    pairs: tuple[Pair, ...]
    mean: float | None
    sd: float | None
    p: float | None
    alpha: float
    is_accepted: bool
    is_degenerate: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Confirmation:
    """The numbers that are reported for a confirmed arm; a number is None if it is not defined."""

    n: int
    mean: float | None = None
    sd: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    bound: float | None = None  # the one-sided bound at the α that was spent
    upper: float | None = None  # the one-sided 95 % upper bound, which decides HARMFUL and NO PRACTICAL EFFECT
    p: float | None = None
    alpha_spent: float = 0.0
    d: float | None = None
    g: float | None = None
    g_low: float | None = None
    g_high: float | None = None
    d_z: float | None = None
    g_z: float | None = None
    g_z_low: float | None = None
    g_z_high: float | None = None
    sign_flip: float | None = None
    welch: float | None = None
    pairs: tuple[Pair, ...] = ()
    wall_control_s: float = 0.0
    wall_treated_s: float = 0.0


@dataclass(frozen=True)
class IdeaOutcome:
    """Everything that became of one idea."""

    arm: str
    title: str
    outcome: Outcome
    reason: str = ""
    checks: tuple[CheckResult, ...] = ()
    screen: ScreenResult | None = None
    looks: tuple[LookResult, ...] = ()
    confirmation: Confirmation | None = None
    compare: CompareResult | None = None  # of the gate `cohens_d`

    @property
    def few_seeds(self) -> ScreenResult | CompareResult | None:
        """What a few seeds said, which is no confirmation."""
        return self.screen or self.compare
