"""From somebody's project to a running loop in two commands, as the how-to page has them, in five kinds of project."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECTS, PAGE = REPOSITORY / "tests" / "projects", REPOSITORY / "docs" / "how-to" / "start-in-your-project.md"
FLAGSTONE = Path(sys.executable).parent / "flagstone"
# what real libraries of an example need; everything else of an example's environment is its own
REAL = ("tensorboard", "absl", "google", "numpy", "packaging", "yaml")


@dataclass(frozen=True)
class Example:
    """A project, where the page describes it, an edit that lowers or raises its number, and what prints that number."""

    name: str
    heading: str
    edited: tuple[str, str, str]
    own_number: str
    checked: str = "✓✓✓–✓–✓✓"


EXAMPLES = [
    Example("pytorch", "A script with PyTorch", ("src/waves/model.py", "RATE = 0.02", "RATE = 0.1"), "log"),
    Example(
        "hydra",
        "Hydra and TensorBoard",
        ("configs/optimizer/momentum.yaml", "lr: 0.01", "lr: 0.1"),
        "events",
        "✓–✓–✓–✓✓",
    ),
    Example("trainer", "The Trainer of Transformers", ("modelling.py", "SCALE = 0.5", "SCALE = 1.5"), "wandb"),
    Example("sklearn", "scikit-learn", ("params.yaml", "C: 0.0001", "C: 1.0"), "json"),
    Example("c", "A benchmark in C", ("src/sort.c", "{64, 16, 4, 1}", "{701, 301, 132, 57, 23, 10, 4, 1}"), "log"),
]


@dataclass(frozen=True)
class Copy:
    """A copy of an example as a person has it: under git, installed in an environment of its own, used once before."""

    root: Path

    def call(self, *argv: str | Path, code: int = 0) -> str:
        """What a command prints in the activated environment."""
        path = f"{self.root / '.venv' / 'bin'}:{os.environ['PATH']}"
        env = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "WANDB_MODE": "offline"}
        done = subprocess.run(argv, cwd=self.root, env=env, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def content(self) -> dict[str, str]:
        """Every file of the project but Flagstone's own, with its digest."""
        paths = [path for path in self.root.rglob("*") if not {".flagstone", ".git"} & set(path.parts)]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}

    def ledger(self) -> list[dict[str, Any]]:
        lines = (self.root / ".flagstone" / "experiments" / "loss" / "ledger.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


def make_copy(name: str, root: Path) -> Copy:
    shutil.copytree(PROJECTS / name, root)
    copy = Copy(root)
    if (root / "pyproject.toml").is_file():
        make_environment(root)
    for words in ("init -q", "add -A", "-c user.name=n -c user.email=n@x commit -qm begin"):
        copy.call("git", *words.split())
    return copy


def make_environment(root: Path) -> None:
    """A virtual environment with the stand-ins, and the project installed as `pip install -e .` installs it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True, timeout=60)
    (packages,) = (root / ".venv").glob("lib/python*/site-packages")
    shutil.copytree(PROJECTS / "stand_ins", packages, dirs_exist_ok=True)
    for name in REAL:
        module = pytest.importorskip(name)
        place = Path(module.__file__).parent if module.__file__ else Path(next(iter(module.__path__)))
        (packages / name).symlink_to(place)
    if (root / "src").is_dir():
        (packages / "project.pth").write_text(f"{root / 'src'}\n")


def commands(example: Example) -> list[list[str]]:
    """The commands of the page for this kind of project."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {example.heading}")[1].split("\n## ")[0]
    return [shlex.split(line) for line in re.findall(r"^    (flagstone .*)$", section, re.MULTILINE)]


def own_number(copy: Copy, how: str, metric: str, printed: str) -> float:
    """The number that the project's own command gave, read without any code of Flagstone."""
    if how == "json":
        return float(json.loads((copy.root / "results" / "metrics.json").read_text())[metric])
    if how == "wandb":
        (summary,) = copy.root.glob("wandb/offline-run-*/files/wandb-summary.json")
        return float(json.loads(summary.read_text())[metric])
    if how == "events":
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

        (file,) = copy.root.glob("outputs/**/events.out.tfevents.*")
        values = [value for event in EventFileLoader(str(file)).Load() for value in event.summary.value]
        return float([value.tensor.float_val[0] for value in values if value.tag == metric][-1])
    return float(re.findall(rf"{metric}[:=] ?([0-9.]+)", printed)[-1])


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_two_commands_lead_from_a_project_to_a_running_loop(example: Example, tmp_path: Path) -> None:
    copy = make_copy(example.name, tmp_path / "project")
    new, run = commands(example)
    own, metric = new[new.index("--") + 1 :], new[new.index("--metric") + 1]
    own_value = own_number(copy, example.own_number, metric, copy.call(*own))
    before = copy.content()
    file, old, better = example.edited
    edit = tmp_path / "edits" / "0002" / file
    edit.parent.mkdir(parents=True)
    edit.write_text((copy.root / file).read_text().replace(old, better))
    # the page leaves the edits to an agent; here they are written down
    scripted = ["--proposer", "scripted", "--script", str(tmp_path / "edits")]
    copy.call(FLAGSTONE, *new[1 : new.index("--")], *scripted, *new[new.index("--") :])
    found = json.loads(copy.call(FLAGSTONE, "experiment", "check", "loss", "--json", "--expect", str(own_value)))
    assert "".join(row["mark"] for row in found["rows"]) == example.checked, found
    said = copy.call(FLAGSTONE, *run[1:])
    assert "2 runs, best" in said
    first, second = copy.ledger()
    assert first["value"] == pytest.approx(own_value, rel=1e-6)
    assert (first["verdict"], second["verdict"]) == ("advance", "advance") and second["value"] != first["value"]
    assert copy.content() == before
    assert copy.call("git", "status", "--porcelain") == ""
