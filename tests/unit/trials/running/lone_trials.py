"""A trial of a small project, run step by step as Snakemake does, without Snakemake."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from flagstone.plans import TrialPlan, trial_plan_at
from flagstone.records import read_record
from flagstone.trials import Story, read_story
from flagstone.trials.running import measure_run, take_step

SCHEMAS = Path(__file__).resolve().parents[4] / "schemas"
TRAIN = """import os, random, sys
random.seed(int(os.environ["SEED"]))
loss = 1.0 + 0.05 * random.random() - (0.2 + 0.02 * random.random()) * ("--fast" in sys.argv)
print(f"val_loss: {loss}")
"""
PLAN: dict[str, Any] = {
    "question": "Does --fast lower the loss?",
    "subject": {"root": ".", "mutable": ["train.py"]},
    "harness": {"argv": ["python", "train.py"], "seconds": 60},
    "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
    "switch": ["--fast"],
    "minimum_effect": 0.05,
    "sandbox": "off",
}


@dataclass
class LoneProject:
    """A project with one trial."""

    root: Path
    said: list[str] = field(default_factory=list)

    def write(self, train: str = TRAIN, **changes: Any) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.root / "train.py").write_text(train)
        value = {key: row for key, row in (PLAN | changes).items() if row is not None}
        (self.folder / "trial.yaml").write_text(yaml.safe_dump(value))

    @property
    def folder(self) -> Path:
        return self.root / ".flagstone" / "trials" / "fast"

    @property
    def plan(self) -> TrialPlan:
        return trial_plan_at(self.folder)

    @property
    def story(self) -> Story:
        return read_story(self.folder / "ledger.jsonl")

    def take(self, number: int) -> None:
        take_step(self.plan, number, SCHEMAS, self.said.append)

    def measure(self, arm: str, slot: str) -> None:
        measure_run(self.plan, (arm, slot), SCHEMAS, self.said.append)

    def wanted(self) -> list[tuple[str, str]]:
        """The runs of the next step that have no record yet that holds for them."""
        plan = self.plan
        paths = plan.records(len(list(plan.looks())))
        keys = [(path.stem.rpartition("-")[0], path.stem.rpartition("-")[2]) for path in paths]
        return [key for key in keys if (read_record(plan.folder.record(*key)) or {}).get("basis") != plan.basis(*key)]

    def go_on(self, steps: int = 99) -> Story:
        """Runs so many more steps, or to the end."""
        while not self.plan.is_done and steps:
            for arm, slot in self.wanted():
                self.measure(arm, slot)
            self.take(len(list(self.plan.looks())))
            steps -= 1
        return self.story
