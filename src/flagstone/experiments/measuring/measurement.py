"""What one run of a candidate was asked for, and what it came to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from flagstone.plans import RunFolder

Status = Literal["ok", "crash", "timeout", "invalid", "interrupted", "unclean", "violation"]
Told = TypeVar("Told")


@dataclass(frozen=True)
class Order:
    """One measurement that is wanted: which tree, for which run, as which part, with which seed."""

    run: RunFolder
    tree: str
    part: str
    seed: int
    slot: int = 0


@dataclass(frozen=True)
class Measurement:
    """One run of the harness: what it came to, measured by us. `value` is None where there is no finite number."""

    part: str
    seed: int
    status: Status
    reason: str = ""
    value: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    backend: str = ""
    exit_code: int | None = None
    started_at: str = ""
    wall_s: float = 0.0
    peak_rss_mb: float | None = None
    peak_vram_mb: float | None = None
    gpus: int = 0
    log: str = ""
    checkpoint: str = ""
    unclean: tuple[int, ...] = ()
    stragglers: int = 0  # processes that it left behind, and that had to be ended
    evaluator_s: float = 0.0
    wandb_run_id: str | None = None

    def to_record(self) -> dict[str, Any]:
        return {**vars(self), "metrics": speakable(self.metrics), "unclean": list(self.unclean)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Measurement:
        """The measurement a record tells of; TypeError where it tells of none."""
        return filled(
            cls,
            {
                **record,
                "metrics": {name: float(value) for name, value in record["metrics"].items()},
                "unclean": tuple(record["unclean"]),
            },
        )


def filled(kind: type[Told], values: dict[str, Any]) -> Told:
    """A frozen record of these values, put in at once where none is missing.

    A ledger of 10 000 lines is read in half the time so: one by one is how a frozen record is filled otherwise.
    """
    if values.keys() != kind.__dataclass_fields__.keys():  # type: ignore[attr-defined]
        return kind(**values)
    made = object.__new__(kind)
    made.__dict__.update(values)
    return made


def speakable(metrics: Mapping[str, float]) -> dict[str, float | str]:
    """Numbers as JSON can hold them: what is not finite as a word that float() reads again."""
    return {name: value if math.isfinite(value) else str(value) for name, value in metrics.items()}
