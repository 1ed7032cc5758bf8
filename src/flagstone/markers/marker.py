"""What a marker is set to, with every default filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from flagstone.plans import Escalation, NoiseRule, Passes

MarkerStatus = Literal["active", "paused", "skip", "needs_human", "completed"]
Direction = Literal["min", "max"]


@dataclass(frozen=True)
class Metric:
    """The command that is measured, and the one that reads its number. `baseline` is a claim until it is measured."""

    command: str
    extract: str
    direction: Direction
    baseline: float | None = None
    target: float | None = None
    locale: str = ""
    ok_exit: tuple[int, ...] = (0,)
    stderr: bool = False
    empty: float | None = None
    issues_command: str = ""
    seconds: float | None = None
    repeats: int | None = None
    timing: bool = False


@dataclass(frozen=True)
class Check:
    """The guard or the hidden check. `held_out` are globs of files that only the hidden check sees."""

    command: str
    extract: str = ""
    threshold: float | None = None
    direction: Direction = "max"
    seconds: float | None = None
    rework_attempts: int = 2
    passes: Passes = field(default_factory=Passes)
    held_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Budgets:
    """What one session may take. None: without a limit."""

    usd: float | None = None
    wall_s: float | None = None
    tokens: float | None = None


@dataclass(frozen=True)
class Loop:
    """How long an agent may work on one experiment, and how many there are."""

    model: str | None = None
    budget_per_experiment_s: float = 600
    max_experiments: int = 50
    budgets: Budgets = field(default_factory=Budgets)
    parallel: int = 1
    rework_cost: float | None = None
    proposer: str = "agent"
    script: str = ""


@dataclass(frozen=True)
class Profile:
    """The agent of a marker. Its folder holds CLAUDE.md, settings.json and .env, which a person may edit."""

    name: str = "default"
    model: str | None = None
    effort: str = "medium"
    permission_mode: str = "dontAsk"
    allowed_tools: tuple[str, ...] = ()
    disallowed_tools: tuple[str, ...] = ()
    env_file: str = ""
    extra_flags: tuple[str, ...] = ()
    max_cost: float | None = None
    driver: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Timing:
    """When sessions begin without a person. `cron` has five fields, in the time zone that is named."""

    type: Literal["on-demand", "overnight", "weekend", "cron"] = "on-demand"
    cron: str = ""
    duration_s: float | None = None
    timezone: str = ""


@dataclass(frozen=True)
class Finalize:
    """The branch of the result, and commands that must pass on its files."""

    branch: str = ""
    gates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Marker:
    """One marker of a repository. `file` is where it is written down."""

    name: str
    repository: Path
    mutable: tuple[str, ...]
    metric: Metric
    description: str = ""
    status: MarkerStatus = "active"
    immutable: tuple[str, ...] = ()
    guard: Check | None = None
    hidden: Check | None = None
    loop: Loop = field(default_factory=Loop)
    escalation: Escalation = field(default_factory=Escalation)
    simplicity: Literal["off", "equal-and-shorter"] = "off"
    noise: NoiseRule | None = field(default_factory=NoiseRule)
    agent: Profile = field(default_factory=Profile)
    schedule: Timing = field(default_factory=Timing)
    finalize: Finalize = field(default_factory=Finalize)
    run: Mapping[str, Any] = field(default_factory=dict)
    file: Path = field(default_factory=Path)

    @property
    def branch(self) -> str:
        """The branch that finalize makes."""
        return self.finalize.branch or f"flagstone/{self.name.replace(' ', '-')}"
