"""A trial that has really run, in this process, without Snakemake."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from flagstone.plans import TrialPlan, trial_plan_at
from flagstone.records import read_record
from flagstone.trials.running import measure_run, take_step

ROOT = Path(__file__).resolve().parents[3]
# the seed moves the loss, and the switch lowers it by more than that
TRAIN = """import os, random, sys
random.seed(int(os.environ["SEED"]))
loss = 1.0 + 0.05 * random.random() - (0.2 + 0.02 * random.random()) * ("--fast" in sys.argv)
print(f"val_loss: {loss}")
"""
PLAN: dict[str, Any] = {
    "question": "Does --fast lower the loss?",
    "subject": {"mutable": ["train.py"]},
    "harness": {"argv": [sys.executable, "train.py"], "seconds": 60},
    "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
    "switch": ["--fast"],
    "minimum_effect": 0.05,
}


def make_trial(project: Path, train: str = TRAIN, **changes: Any) -> TrialPlan:
    root = project / ".flagstone" / "trials" / "fast"
    root.mkdir(parents=True)
    (project / "train.py").write_text(train)
    value = {key: row for key, row in PLAN.items() if key != "switch" or "arms" not in changes}
    (root / "trial.yaml").write_text(yaml.safe_dump(value | changes, sort_keys=False))
    return trial_plan_at(root)


def run_trial(plan: TrialPlan, steps: int = 20) -> TrialPlan:
    """Takes the steps of a trial with the runs that each needs, until it has ended."""
    for number in range(steps):
        measure_due_runs(plan, number)
        take_step(plan, number, ROOT / "schemas", lambda _: None)
        if plan.folder.done.exists():
            break
    return plan


def measure_due_runs(plan: TrialPlan, number: int) -> None:
    """The runs that a step reads."""
    for run in (read_record(plan.folder.look(number - 1)) or {}).get("next", {}).get("runs", ()):
        if not plan.folder.record(run["arm"], run["slot"]).exists():
            measure_run(plan, (run["arm"], run["slot"]), ROOT / "schemas", lambda _: None)


def copy_trial(plan: TrialPlan, to: Path) -> TrialPlan:
    shutil.copytree(plan.base, to, symlinks=True)
    return trial_plan_at(to / ".flagstone" / "trials" / plan.name)
