"""A small project with a trial in it, as far as sealing needs one."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flagstone.plans import TrialFolder, TrialSpec, trial_spec_of
from flagstone.trials.sealing import BaselineFacts, Prereg, SharedBasis, seal_prereg, shared_basis

PLAN: dict[str, Any] = {
    "question": "Does clipping lower the loss?",
    "subject": {"root": "code", "mutable": ["train.py"]},
    "harness": {"argv": ["python3", "train.py"]},
    "metric": {"name": "val_loss", "direction": "min"},
    "switch": ["--clip"],
    "minimum_effect": 0.02,
    "sandbox": "auto",
}


@dataclass
class SealedTrial:
    """A trial with its folder and its plan."""

    base: Path
    name: str = "clip"
    contract: str = "c" * 64

    @property
    def folder(self) -> TrialFolder:
        return TrialFolder(self.base / "trials" / self.name, self.base)

    def write(self, **changes: Any) -> SealedTrial:
        (self.base / "code").mkdir(exist_ok=True)
        (self.base / "code" / "train.py").write_text("print('val_loss: 1')\n")
        self.folder.root.mkdir(parents=True, exist_ok=True)
        self.folder.spec.write_text(yaml.safe_dump(PLAN | changes))
        return self

    @property
    def spec(self) -> TrialSpec:
        return trial_spec_of(self.name, self.base, yaml.safe_load(self.folder.spec.read_text()))

    def shared(self, **environ: str) -> SharedBasis:
        return shared_basis(self.folder, self.spec, self.contract, {**os.environ, **environ})

    def seal(self, sd: float | None = 0.01) -> Prereg:
        baseline = BaselineFacts("t" * 40, 5, 0.6, sd, is_deterministic=True)
        return seal_prereg(self.folder, self.spec, self.shared(), baseline)
