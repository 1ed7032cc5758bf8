"""What is kept of a run: its line in the ledger and its record, both from its measurement."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite

from flagstone.experiments.deciding import broken_text, check
from flagstone.experiments.measuring import Measurement
from flagstone.plans import Home, TrialFolder, TrialSpec
from flagstone.records import read_as, utc
from flagstone.trials.deciding import value_problem
from flagstone.trials.lines import RunLine
from flagstone.trials.outcomes import RunStatus
from flagstone.trials.running.opening import OpenedTrial

STATUSES: Mapping[str, RunStatus] = {"ok": "ok", "crash": "crash", "timeout": "timeout", "invalid": "invalid"}


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What Snakemake waits for: how a run ended, and what its number holds for. A sealed seed is left out."""

    arm: str
    slot: str
    basis: str
    status: RunStatus
    at: str
    tree: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    host: str
    contract: str = ""
    data: str = ""
    environment: str = ""
    seed: int | None = None
    value: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    wall_s: float = 0.0
    reason: str = ""
    exit_code: int | None = None

    @property
    def line(self) -> RunLine:
        names = (each.name for each in fields(RunLine) if each.name != "kind")
        return RunLine(**{name: getattr(self, name) for name in names})


@dataclass(frozen=True)
class TrialRun:
    """One run that a step asks for, and what its number has to hold for."""

    arm: str
    slot: str
    basis: str

    @property
    def name(self) -> str:
        return f"{self.arm}-{self.slot}"

    @property
    def is_sealed(self) -> bool:
        """Whether nobody may see the seed before the verdict."""
        return self.slot.startswith("b")

    def home(self, folder: TrialFolder) -> Home:
        """The run's own folder, in which processes and temporary files are its own too."""
        root = folder.sealed_run(self.arm, self.slot) if self.is_sealed else folder.run(self.arm, self.slot)
        return Home(root, folder.base)


def record_of(folder: TrialFolder, wanted: TrialRun) -> RunRecord | None:
    """The record of a run, if it holds for what is wanted."""
    found = read_as(folder.record(wanted.arm, wanted.slot), RunRecord)
    return found if found and found.basis == wanted.basis else None


def run_record(opened: OpenedTrial, line: RunLine, seed: int | None) -> RunRecord:
    """The record that belongs to a line of the ledger. A seed that nobody may see before the verdict is left out."""
    arm, asked = opened.arm(line.arm), opened.spec.experiment.harness
    return RunRecord(
        **{each.name: getattr(line, each.name) for each in fields(RunLine) if each.name != "kind"},
        tree=opened.tree(line.arm),
        argv=(*asked.argv, *arm.switch),
        env={**asked.env, **arm.env},
        contract=opened.start.contract,
        data=opened.start.shared.data,
        seed=None if line.slot.startswith("b") else seed,
    )


def line_measured(found: Measurement, spec: TrialSpec, wanted: TrialRun) -> RunLine:
    """The line that a measurement comes to."""
    status, reason = status_of(found, spec)
    if wanted.is_sealed and not reason.startswith("tampered"):
        reason = reason.partition(": ")[0]  # what a program printed as it failed may tell a sealed seed
    return RunLine(
        arm=wanted.arm,
        slot=wanted.slot,
        status=status,
        basis=wanted.basis,
        at=utc(time.time()),
        value=found.value if status == "ok" else None,
        metrics={name: value for name, value in found.metrics.items() if isfinite(value)},
        wall_s=found.wall_s,
        reason=reason,
        exit_code=found.exit_code,
        host=os.uname().nodename,
    )


def status_of(found: Measurement, spec: TrialSpec) -> tuple[RunStatus, str]:
    """The status under the limits of the plan. A number that cannot be, or that broke a constraint, is none."""
    status = STATUSES.get(found.status, "invalid")
    if status != "ok":
        return status, found.reason
    rows = check(spec.experiment.constraints, {"wall_seconds": found.wall_s, **found.metrics})
    problem = broken_text(rows) or value_problem(found.value, spec.possible_range)
    return ("invalid", problem) if problem else ("ok", "")


def run_text(record: RunLine, spec: TrialSpec) -> str:
    """Such as `treated-a1 ok       val_loss 0.25  (1.2 s)`."""
    found = f"{spec.experiment.metric.name} {record.value:.6g}" if record.value is not None else record.reason
    return f"{record.arm}-{record.slot} {record.status:<8} {found}  ({record.wall_s:.1f} s)"
