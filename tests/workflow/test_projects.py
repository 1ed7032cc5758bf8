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
        done = subprocess.run(argv, cwd=self.root, env=env, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def content(self) -> dict[str, str]:
        """Every file of the project but Flagstone's own, with its digest."""
        paths = [path for path in self.root.rglob("*") if not {".flagstone", ".git"} & set(path.parts)]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}

    def ledger(self, name: str = "loss") -> list[dict[str, Any]]:
        lines = (self.root / ".flagstone" / "experiments" / name / "ledger.jsonl").read_text().splitlines()
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
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True, timeout=300)
    (packages,) = (root / ".venv").glob("lib/python*/site-packages")
    shutil.copytree(PROJECTS / "stand_ins", packages, dirs_exist_ok=True)
    for name in REAL:
        module = pytest.importorskip(name)
        place = Path(module.__file__).parent if module.__file__ else Path(next(iter(module.__path__)))
        (packages / name).symlink_to(place)
    if (root / "src").is_dir():
        (packages / "project.pth").write_text(f"{root / 'src'}\n")


def commands(example: Example, name: str = "loss") -> list[list[str]]:
    """The two commands of the page for this kind of project and experiment, as a shell hands them on."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {example.heading}")[1].split("\n## ")[0]
    lines = re.findall(r"^    (flagstone .*)$", section.replace("\\\n", ""), re.MULTILINE)
    return [words for words in map(shlex.split, lines) if words[3] == name]


def own_number(copy: Copy, how: str, metric: str, argv: list[str]) -> float:
    """The number that the project's own command gives, read without any code of Flagstone."""
    for name in ("outputs", "wandb"):
        shutil.rmtree(copy.root / name, ignore_errors=True)
    printed = copy.call(*argv)
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


def parts(new: list[str]) -> tuple[list[str], list[str], str]:
    """The options of `new`, the project's own command, and the metric."""
    place = new.index("--")
    return new[1:place], new[place + 1 :], new[new.index("--metric") + 1]


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_two_commands_lead_from_a_project_to_a_running_loop(example: Example, tmp_path: Path) -> None:
    copy = make_copy(example.name, tmp_path / "project")
    assert_loop_runs(example, copy, tmp_path / "edits")
    assert copy.call("git", "status", "--porcelain") == ""


def test_a_project_without_git_needs_the_same_two_commands(tmp_path: Path) -> None:
    copy = make_copy("pytorch", tmp_path / "project")
    shutil.rmtree(copy.root / ".git")
    assert_loop_runs(EXAMPLES[0], copy, tmp_path / "edits")


def assert_loop_runs(example: Example, copy: Copy, edits: Path) -> None:
    new, run = commands(example)
    options, own, metric = parts(new)
    own_value = own_number(copy, example.own_number, metric, own)
    before = copy.content()
    file, old, better = example.edited
    edit = edits / "0002" / file
    edit.parent.mkdir(parents=True)
    edit.write_text((copy.root / file).read_text().replace(old, better))
    # the page leaves the edits to an agent; here they are written down
    copy.call(FLAGSTONE, *options, "--proposer", "scripted", "--script", str(edits), "--", *own)
    found = json.loads(copy.call(FLAGSTONE, "experiment", "check", "loss", "--json", "--expect", str(own_value)))
    assert "".join(row["mark"] for row in found["rows"]) == example.checked, found
    assert "2 runs, best" in copy.call(FLAGSTONE, *run[1:])
    first, second = copy.ledger()
    assert first["value"] == pytest.approx(own_value, rel=1e-6)
    assert (first["verdict"], second["verdict"]) == ("advance", "advance")
    assert abs(second["value"] / first["value"] - 1) > 0.01, "an edit that reaches the run shows"
    assert copy.content() == before


@pytest.mark.parametrize("example", EXAMPLES[:4], ids=[example.name for example in EXAMPLES[:4]])
def test_a_search_without_a_model_measures_what_the_projects_own_command_gives(
    example: Example, tmp_path: Path
) -> None:
    copy = make_copy(example.name, tmp_path / "project")
    new, run = commands(example, "search")
    options, own, metric = parts(new)
    own_number(copy, example.own_number, metric, own)
    before = copy.content()
    copy.call(FLAGSTONE, *new[1:])
    copy.call(FLAGSTONE, *run[1:], "--runs", "3")
    assert copy.content() == before
    entries = copy.ledger("search")
    assert len({entry["value"] for entry in entries}) > 1
    change = entries[-1]["note"].split()  # such as `learning_rate 0.0169733`
    give_value(copy, options, own, change)
    assert own_number(copy, example.own_number, metric, own) == pytest.approx(entries[-1]["value"], rel=1e-6)


def give_value(copy: Copy, options: list[str], own: list[str], change: list[str]) -> None:
    """Does by hand what the search did: sets a value in the command, or in the file that may change."""
    name, value = change
    if "--mutable" in options:
        path = copy.root / options[options.index("--mutable") + 1]
        path.write_text(re.sub(rf"^({name}( =|:) ).*", rf"\g<1>{value}", path.read_text(), flags=re.MULTILINE))
    elif f"--{name}" in own:
        own[own.index(f"--{name}") + 1] = value
    else:
        own[-1] = f"{own[-1].partition('=')[0]}={value}"
