"""The parts of the spec of an experiment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from flagstone.globs import matches
from flagstone.plans.command_line import CommandArguments

NEVER = {".git", ".flagstone", ".autoresearch"}
Direction = Literal["min", "max"]


@dataclass(frozen=True)
class SubjectSpec:
    """What is edited: the project, the globs that may change, and what decides about the number.

    `immutable` are globs of files that may not change though `mutable` names them. `held_out` are globs of files that
    only the hidden check finds in its tree.
    """

    root: Path
    mutable: tuple[str, ...]
    entry: str
    kind: Literal["files", "git"] = "files"
    immutable: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    uncommitted: Literal["sources", "none"] = "sources"
    at_head: bool = False
    protected: tuple[str, ...] | None = None
    scratch: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    arguments: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    command_arguments: CommandArguments | None = None

    @property
    def arguments_file(self) -> bytes:
        """What the unedited files have as their arguments."""
        return json.dumps(self.arguments, indent=1, ensure_ascii=False).encode() + b"\n"

    def may_change(self, path: str) -> bool:
        """Whether a glob names a file as one that may change. What is immutable may not, whatever else names it."""
        return matches(path, self.mutable) and not self.is_immutable(path)

    def is_immutable(self, path: str) -> bool:
        return bool(NEVER & set(path.split("/"))) or matches(path, self.immutable) or self.is_held_out(path)

    def is_held_out(self, path: str) -> bool:
        """Whether only the hidden check sees a file or folder: a glob names it, or a folder that it is in."""
        parts = path.split("/") if self.held_out else []
        above = ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
        return any(matches(each, self.held_out) or matches(f"{each}/", self.held_out) for each in above)


@dataclass(frozen=True)
class HarnessSpec:
    """The command that runs one candidate, and what it may take."""

    argv: tuple[str, ...]
    seconds: float = 300
    silence_s: float | None = None
    memory_mb: float | None = None
    gpu_memory_mb: float | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    gpus: int = 0
    exclusive: bool | None = None
    network: bool = True
    writable: tuple[str, ...] = ()
    ok_exit: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class MetricSpec:
    """The number that is improved, and the backend it is read with."""

    name: str
    direction: Direction
    backend: str = "auto"
    auxiliary: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def is_better(self, value: float, than: float) -> bool:
        return value < than if self.direction == "min" else value > than


@dataclass(frozen=True)
class Passes:
    """Of so many tries of a command, how many have to succeed."""

    of: int = 1
    need: int = 1


@dataclass(frozen=True)
class StepSpec:
    """A further command: the evaluation (with its artifact), the guard, or the hidden check.

    It succeeds by its exit code. With `extract`, it succeeds if the number that this command reads from its output
    reaches `threshold`.
    """

    argv: tuple[str, ...]
    seconds: float = 300
    artifact: str = ""
    extract: str = ""
    threshold: float | None = None
    direction: Direction = "max"
    stderr: bool = False
    locale: str = ""
    passes: Passes = field(default_factory=Passes)


@dataclass(frozen=True)
class CheckpointSpec:
    """What a run saves, whether it has to, and how many are kept besides the best."""

    glob: str
    required: bool = False
    keep_checkpoints: int = 2


@dataclass(frozen=True)
class StoppingSpec:
    """When the experiment ends. None: never for that reason."""

    threshold: float | None = None
    plateau: int | None = None
    max_runs: int | None = None
    wall_h: float | None = None
    gpu_h: float | None = None
    cost_usd: float | None = None
    tokens: float | None = None
    max_experiments: int | None = None
    proposals: int | None = 10
    on_suspicion: bool = False
    on_halt: bool = False


@dataclass(frozen=True)
class AgentSpec:
    """The agent that proposes, and what one proposal may take.

    It has `search_tools` only when it is advised to search. It is shown what `issues_command` prints. Neither it nor a
    run can read `secret_files`.
    """

    driver: str = ""
    model: str | None = None
    mode: Literal["edit", "work"] = "edit"
    wall_s: float = 1200
    silence_s: float = 600
    turns: int = 60
    cost_usd: float | None = None
    rework_cost_usd: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    search_tools: tuple[str, ...] = ()
    issues_command: str = ""
    secret_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Escalation:
    """After how many failures since the last gain the proposer is advised to refine, and to try something else.

    Every `search_after_pivots`-th pivot asks it to search; after `halt_after_pivots` of them nothing is expected.
    """

    refine_after: int = 3
    pivot_after: int = 5
    search_after_pivots: int = 2
    halt_after_pivots: int = 3

    @property
    def most_failures(self) -> int:
        """After so many failures since the last gain, it is at its last step."""
        return self.pivot_after * self.halt_after_pivots


@dataclass(frozen=True)
class NoiseRule:
    """α of the whole experiment, how often the baseline is measured, and how many pairs a test may take."""

    alpha: float = 0.05
    baseline_repeats: int = 5
    max_repeats: int = 30
