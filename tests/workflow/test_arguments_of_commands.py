"""`arguments:` of an experiment: the command's own flags are what a candidate changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

FLAGSTONE = Path(sys.executable).parent / "flagstone"
TRAIN = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1.0)
parser.add_argument("--name", default="")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--seed", type=int, default=1)
given = parser.parse_args()
print("given", given.seed, repr(given.name))
print("val_loss:", (given.lr - 0.25) ** 2 + given.epochs)
"""
ALLOWED = {"lr": "number", "name": "text"}
PLAN: dict[str, Any] = {
    "goal": "less",
    "subject": {"mutable": ["arguments.yaml"]},
    "harness": {"argv": [sys.executable, "train.py", "{arguments}"], "seconds": 60},
    "arguments": {
        "style": "equals",
        "fixed": {"epochs": 3, "seed": "{seed}"},
        "allow": {"lr": "number", "name": "text"},
    },
    "metric": {"name": "val_loss", "direction": "min"},
    "proposer": "none",
    "noise": "off",
}


class Desk:
    def __init__(self, project: Path) -> None:
        self.project, self.home = project, project / ".flagstone" / "experiments" / "one"

    def run(self, *words: str, code: int = 0) -> str:
        done = subprocess.run(
            [FLAGSTONE, "experiment", *words], cwd=self.project, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout

    def begin(self, plan: dict[str, Any], own: str = "lr: 1.0\n", code: int = 0) -> str:
        (self.project / "train.py").write_text(TRAIN)
        (self.project / "plan.yaml").write_text(yaml.safe_dump(plan))
        (self.project / "own").mkdir()
        (self.project / "own" / "arguments.yaml").write_text(own)
        return self.run("new", "one", "--from", "plan.yaml", code=code)

    def step(self, own: str, code: int = 0) -> dict[str, Any]:
        (self.home / "work" / "arguments.yaml").write_text(own)
        self.run("step", "one", code=code)
        return self.last

    @property
    def last(self) -> dict[str, Any]:
        return dict(json.loads((self.home / "ledger.jsonl").read_text().splitlines()[-1]))


@pytest.fixture(params=["files", "git"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    kind = str(request.param)
    (tmp_path / "train.py").write_text(TRAIN)
    if kind == "git":
        for words in ("init -q", "add train.py", "-c user.name=n -c user.email=e commit -qm one"):
            subprocess.run(["git", *words.split()], cwd=tmp_path, check=True)
    desk.begin({**PLAN, "subject": {**PLAN["subject"], "kind": kind}})
    return desk


def test_a_check_that_fails_names_the_files_of_the_arguments(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.begin({**PLAN, "arguments": {"style": "equals", "allow": {"rate": "number"}}}, "rate: 1.0\n")
    done = subprocess.run([FLAGSTONE, "experiment", "check", "one"], cwd=tmp_path, capture_output=True, text=True)
    assert "unrecognized arguments" in done.stdout
    cure = next(line for line in done.stdout.splitlines() if line.startswith("next:"))
    assert "arguments.allow" in cure and "own/arguments.yaml" in cure


def test_an_edit_of_the_arguments_reaches_the_command(desk: Desk) -> None:
    desk.run("step", "one")
    assert desk.last["measurements"][0]["value"] == 0.75**2 + 3
    found = desk.step("lr: 0.5\nname: '--epochs=9; {seed}'\n")
    assert (found["verdict"], found["measurements"][0]["value"]) == ("advance", 0.25**2 + 3)
    assert found["proposal"]["arguments"] == ["--epochs=3", "--seed={seed}", "--lr=0.5", "--name=--epochs=9; {seed}"]
    assert found["proposal"]["parameters"] == {"lr": 0.5, "name": "--epochs=9; {seed}"}
    proposal = json.loads((desk.home / "runs" / "r0002" / "proposal.json").read_text())
    assert proposal["facts"]["arguments"] == found["proposal"]["arguments"]
    assert (
        f"given {found['measurements'][0]['seed']} '--epochs=9; {{seed}}'"
        in (desk.home / "runs" / "r0002" / "run.log").read_text()
    )
    assert not (desk.project / "arguments.yaml").exists()


@pytest.mark.parametrize("own", ["epochs: 1", "layers: 1", "lr: '0.1; rm -rf /'", "lr: [1", "- 1"])
def test_what_is_not_allowed_is_a_violation_and_starts_nothing(tmp_path: Path, own: str) -> None:
    desk = Desk(tmp_path)
    desk.begin(PLAN)
    desk.run("step", "one")
    found = desk.step(own)
    assert (found["status"], found["verdict"]) == ("violation", "invalid")
    assert found["reason"].startswith("arguments.yaml")
    assert not (desk.home / "runs" / "r0002" / "run.log").exists()


def test_a_file_of_its_own_that_may_not_change_is_in_the_tree_and_protected(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "start.py").write_text("import json, sys\nprint('val_loss:', json.loads(sys.argv[1])['lr'])\n")
    (tmp_path / "own" / "arguments.yaml").write_text("lr: 2\n")
    arguments = {"style": "json", "allow": {"lr": "number"}}
    plan = {**PLAN, "arguments": arguments, "harness": {"argv": [sys.executable, "start.py", "{arguments}"]}}
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan))
    desk.run("new", "one", "--from", "plan.yaml")
    desk.run("step", "one")
    assert desk.last["measurements"][0]["value"] == 2
    assert desk.step("lr: 1\n")["verdict"] == "advance"
    (desk.home / "work" / "start.py").write_text("print('val_loss: 0')\n")
    assert desk.step("lr: 0.5\n")["status"] == "violation"


def test_the_check_shows_that_the_own_command_gives_the_same_number(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.begin(PLAN)
    words = ("--own", "--", sys.executable, "train.py", "--seed", "{seed}")
    rows = json.loads(desk.run("check", "one", "--json", *words))["rows"]
    assert {row["name"]: row["mark"] for row in rows}.items() >= {"reach": "✓", "same": "✓"}.items()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".flagstone", "own", "plan.yaml", "train.py"]


@pytest.mark.parametrize(
    ("change", "own", "problem"),
    [
        ({"arguments": None}, "lr: 1", "nothing says what that is"),
        ({"harness": {"argv": ["python3", "train.py"]}}, "lr: 1", "has no {arguments}"),
        ({"arguments": {**PLAN["arguments"], "fixed": {"lr": 1}}}, "name: a", "lr is fixed and may change"),
        ({}, "lr: much", "has to be a number"),
        ({"subject": {"mutable": ["/etc/passwd"]}}, "lr: 1", "/etc/passwd is outside of the project"),
        ({"subject": {"mutable": ["../x.py"]}}, "lr: 1", "../x.py is outside of the project"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(
    tmp_path: Path, change: dict[str, Any], own: str, problem: str
) -> None:
    plan = {key: value for key, value in {**PLAN, **change}.items() if value is not None}
    assert problem in Desk(tmp_path).begin(plan, own, code=2)


def test_a_file_of_the_project_with_the_same_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "arguments.yaml").write_text("a: 1\n")
    assert "has the name of a file of the project" in Desk(tmp_path).begin(PLAN, code=2)


def test_search_changes_arguments(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    search = {"method": "random", "parameters": {"lr": {"file": "arguments.yaml", "low": 0.1, "high": 0.9}}}
    desk.begin({**PLAN, "proposer": "search", "search": search, "stopping": {"max_runs": 3}})
    desk.run("run", "one", "--no-check")
    assert len((desk.home / "ledger.jsonl").read_text().splitlines()) == 3
    assert desk.last["proposal"]["arguments"][2].startswith("--lr=0.")
