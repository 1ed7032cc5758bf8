"""Plans of experiments as stages 03 and 04 leave them, and what came of them."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from workbench import Study

TRAIN = """X = 1.0
print(f"val_loss: {(X - 3) ** 2}")
"""


def plan(study: Study, name: str = "tune", **changes: object) -> Path:
    """A plan as stages 03 and 04 leave it, with its edits beside it."""
    code = study.files.workspace / "code" / "tune"
    code.mkdir(parents=True, exist_ok=True)
    (code / "train.py").write_text(TRAIN)
    edits = study.files.workspace / "notes" / "edits"
    for number, value in ((2, 2.0), (3, 9.0), (4, 2.5)):
        (edits / f"{number:04d}").mkdir(parents=True, exist_ok=True)
        (edits / f"{number:04d}" / "train.py").write_text(TRAIN.replace("1.0", str(value)))
    value = {
        "goal": "less loss",
        "subject": {"root": "workspace/code/tune", "mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py"], "seconds": 60},
        "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
        "noise": "off",
        "sandbox": "off",
        "proposer": "scripted",
        "script": "workspace/notes/edits",
        "stopping": {"max_runs": 4},
        **changes,
    }
    path = study.files.plans / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(value, sort_keys=False))
    return path


def ledger(study: Study, name: str = "tune") -> list[tuple[str, str]]:
    path = study.files.experiments / name / "ledger.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    return [(line["run_id"], line["verdict"]) for line in map(json.loads, lines)]
