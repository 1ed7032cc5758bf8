"""What an approved design is: the plan with the files it names. Another one begins the experiment anew."""

from __future__ import annotations

import json

import pytest
import yaml
from workbench import Place, Study

TRAIN = "from model import OFFSET\nX = 1.0\nprint(f'val_loss: {OFFSET + (X - 3) ** 2}')\n"
PLAN = {
    "goal": "less loss",
    "subject": {"root": "workspace", "mutable": ["code/train.py"]},
    "harness": {"argv": ["python", "code/train.py"], "seconds": 60},
    "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
    "noise": "off",
    "sandbox": "off",
    "proposer": "scripted",
    "script": "workspace/notes/edits",
    "stopping": {"max_runs": 2},
}


def values(study: Study) -> list[float]:
    path = study.files.experiments / "tune" / "ledger.jsonl"
    return [json.loads(line)["value"] for line in path.read_text().splitlines()]


def finished(place: Place, first: dict[str, str], second: dict[str, str]) -> Study:
    """A run whose experiment has ended; feedback to stage 04 makes it write the second files."""
    script = {
        "*": {"*": "instant"},
        "04": {1: ["instant", *writes(first)], "*": ["instant", *writes(second)]},
    }
    study = place.new("t", "sandbox=off", script=script)
    study.files.plans.mkdir(parents=True, exist_ok=True)
    (study.files.plans / "tune.yaml").write_text(yaml.safe_dump(PLAN, sort_keys=False))
    edit = study.files.workspace / "notes" / "edits" / "0002" / "code"
    edit.mkdir(parents=True)
    (edit / "train.py").write_text(TRAIN.replace("1.0", "2.0"))
    assert place.flagstone("run", "t", "--yes", "--to", "05").code == 0
    assert values(study) == [4.0, 1.0]
    return study


def writes(files: dict[str, str]) -> list[list[str]]:
    return [["write", f"workspace/code/{name}", text] for name, text in files.items()]


@pytest.mark.parametrize("changed", ["train.py", "model.py"])
def test_code_that_is_approved_again_begins_a_new_experiment_and_keeps_the_old_one(place: Place, changed: str) -> None:
    files = {"train.py": TRAIN, "model.py": "OFFSET = 0\n"}
    other = {"train.py": TRAIN.replace("1.0", "0.0"), "model.py": "OFFSET = 100\n"}
    study = finished(place, files, {**files, changed: other[changed]})
    study.ask("04", "the score was wrong")
    said = place.flagstone("run", "t", "--yes", "--to", "05")
    assert said.code == 0, said.text
    assert values(study) == ([9.0, 1.0] if changed == "train.py" else [104.0, 101.0])
    assert len(list((study.files.experiments / "tune" / "history").glob("*/ledger.jsonl"))) == 1
    assert study.counts()["05"] == 2


def test_what_is_approved_again_unchanged_runs_nothing_again(place: Place) -> None:
    files = {"train.py": TRAIN, "model.py": "OFFSET = 0\n"}
    study = finished(place, files, files)
    study.ask("04", "say it in fewer words")
    assert place.flagstone("run", "t", "--yes", "--to", "05").code == 0
    assert study.counts()["04"] == 2
    assert values(study) == [4.0, 1.0]
    assert not (study.files.experiments / "tune" / "history").exists()
