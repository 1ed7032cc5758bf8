"""Plans of trials as stages 03 and 04 leave them, and what came of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from workbench import Study

# the seed moves the loss, and the switch lowers it by more than that
TRAIN = """import os, random, sys
random.seed(int(os.environ["SEED"]))
loss = 1.0 + 0.05 * random.random() - (0.2 + 0.02 * random.random()) * ("--fast" in sys.argv)
print(f"val_loss: {loss}")
"""


def trial_value(root: str) -> dict[str, object]:
    """What a plan says: the treatment is one word of the command line."""
    return {
        "question": "Does --fast lower the loss?",
        "subject": {"root": root, "mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py"], "seconds": 60},
        "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
        "switch": ["--fast"],
        "minimum_effect": 0.05,
    }


def plan_trial(study: Study, name: str = "fast", train: str = TRAIN, **changes: object) -> Path:
    """A plan with its program."""
    code = study.files.workspace / "code" / "trial"
    code.mkdir(parents=True, exist_ok=True)
    (code / "train.py").write_text(train)
    value = trial_value(root="workspace/code/trial") | changes
    path = study.files.workspace / "trials" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(value, sort_keys=False))
    return path


def lines(study: Study, kind: str, name: str = "fast") -> list[dict[str, Any]]:
    """The lines of one kind in the ledger of a trial."""
    path = study.root / "trials" / name / "ledger.jsonl"
    rows = [json.loads(row) for row in path.read_text().splitlines()] if path.is_file() else []
    return [row for row in rows if row["kind"] == kind]


def runs(study: Study, name: str = "fast") -> list[str]:
    return [f"{row['arm']}-{row['slot']}" for row in lines(study, "run", name)]
