"""The order for one run of a candidate, and the measurement that it gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flagstone.experiments.deciding import Status
from flagstone.experiments.measuring.early_stop import EarlyStop
from flagstone.plans import RunFolder

CheckName = Literal["guard", "hidden", "gate"]


@dataclass(frozen=True)
class Order:
    """One measurement that is wanted: which tree, for which run, as which part, with which seed.

    `slot` names the folder that it is laid out in. No two that go on at the same time have the same one.
    """

    run: RunFolder
    tree: str
    part: str
    seed: int
    slot: int | str = 0
    early_stop: EarlyStop | None = None


@dataclass(frozen=True)
class Basis:
    """What a measurement holds for: this tree, under this contract, on this seed."""

    tree: str
    contract: str
    seed: int


@dataclass(frozen=True)
class Measurement:
    """One run of the harness, measured by us. `value` is None if it gave no finite number."""

    part: str
    seed: int
    status: Status
    reason: str = ""
    value: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    backend: str = ""
    others: str = ""  # a digest of all other numbers that it reported, times left out
    source: str = ""  # the file that the number was read from
    exit_code: int | None = None
    started_at: str = ""
    wall_s: float = 0.0
    peak_rss_mb: float | None = None
    peak_vram_mb: float | None = None
    gpus: int = 0
    log: str = ""
    checkpoint: str = ""
    checkpoint_fault: str = ""  # why there is none although the spec names one
    unclean: tuple[int, ...] = ()
    stragglers: int = 0  # processes that it left behind, and that had to be ended
    evaluator_s: float = 0.0
    is_stopped_early: bool = False
    wandb_run_id: str | None = None
