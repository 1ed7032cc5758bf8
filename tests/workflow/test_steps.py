"""`flagstone experiment step` in a process of its own: who waits for it may be killed, and it goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from workbench import PROGRAMS, Said, ended, start, wait_until

TRAIN = """
import os, pathlib, time
X = 1.0
there = pathlib.Path(os.environ["PLACE"])
(there / f"begun-{X}").touch()
while not (there / "go").exists():
    time.sleep(0.01)
print(f"val_loss: {(X - 3) ** 2}")
"""
SPEC = {
    "goal": "less loss",
    "subject": {"mutable": ["train.py"]},
    "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
    "noise": "off",
    "proposer": "none",
    "sandbox": "off",
    "stopping": {"max_runs": 9},
}


@dataclass(frozen=True)
class Project:
    """A project whose runs last until they are let go."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / ".flagstone" / "experiments" / "one"

    def ask(self, *words: str) -> Said:
        return ended(self.start(*words))

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        return start(PROGRAMS / "flagstone", "experiment", *words, cwd=self.root)

    def begin(self, x: float = 1.0) -> subprocess.Popen[bytes]:
        """Starts a step, and waits until its run is under way."""
        step = self.start("step", "one")
        wait_until((self.root / f"begun-{x}").exists, "the run")
        return step

    def edit(self, x: float) -> None:
        (self.root / "go").unlink(missing_ok=True)
        train = self.home / "work" / "train.py"
        train.write_text(train.read_text().replace("X = 1.0", f"X = {x}"))

    def let_go(self) -> None:
        (self.root / "go").touch()

    def worker(self) -> int:
        return int(json.loads((self.home / "step.json").read_text())["pid"])

    def lines(self) -> list[tuple[str, str, str]]:
        entries = map(json.loads, (self.home / "ledger.jsonl").read_text().splitlines())
        return [(each["run_id"], each["status"], each["terminated_by"]) for each in entries]


@pytest.fixture
def project(tmp_path: Path) -> Any:
    """A project with its first run behind it."""
    (tmp_path / "train.py").write_text(TRAIN)
    made = Project(tmp_path)
    made.home.mkdir(parents=True)
    harness = {"argv": ["python", "train.py"], "seconds": 60, "env": {"PLACE": str(tmp_path)}}
    (made.home / "experiment.yaml").write_text(yaml.safe_dump({**SPEC, "harness": harness}))
    made.let_go()
    assert made.ask("step", "one").code == 0
    yield made
    made.let_go()
    made.ask("wait", "one")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP], ids=["TERM", "KILL", "HUP"])
def test_who_waits_is_killed_with_the_whole_group_and_the_run_gets_its_verdict(
    project: Project, number: signal.Signals
) -> None:
    project.edit(2.0)
    step = project.begin(2.0)
    assert parent_of(project.worker()) != step.pid, "an agent's shell kills its children by their parents"
    os.killpg(step.pid, number)
    assert step.wait(10) == -number
    project.let_go()
    said = project.ask("wait", "one", "--json")
    assert said.code == 0 and '"run_id": "r0002"' in said.text and "r0002 advance" in said.text
    assert project.lines() == [("r0001", "ok", ""), ("r0002", "ok", "")]


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_step_that_lasts_longer_than_it_may_be_waited_for_says_which_run_goes_on(project: Project) -> None:
    project.edit(2.0)
    said = project.ask("step", "one", "--wait", "0.1")
    assert said.code == 0 and json.loads(said.text.splitlines()[0]) == {"status": "running", "run": "r0002"}
    assert said.text.splitlines()[1] == "next: flagstone experiment wait one"
    again = project.ask("wait", "one", "--wait", "0.1")
    assert again.code == 0 and json.loads(again.text.splitlines()[0])["status"] == "running"
    project.let_go()
    assert project.ask("wait", "one").code == 0
    assert project.lines()[-1] == ("r0002", "ok", "")


def test_who_waits_and_is_interrupted_says_what_goes_on_and_how_to_end_it(project: Project) -> None:
    project.edit(2.0)
    step = project.begin(2.0)
    step.send_signal(signal.SIGINT)
    said = ended(step, 10)
    assert said.code == 130 and "the run goes on in the background" in said.text
    assert "end it: flagstone experiment stop one --now" in said.text
    assert project.ask("stop", "one", "--now").code == 0
    waited = project.ask("wait", "one")
    assert waited.code == 130, waited.text
    assert project.lines()[-1] == ("r0002", "interrupted", "manual")


def test_a_second_step_is_told_which_run_is_still_evaluated(project: Project) -> None:
    project.edit(2.0)
    project.begin(2.0)
    said = project.ask("step", "one")
    assert said.code == 2 and "r0002 of one is still being evaluated" in said.text
    assert "flagstone experiment wait one" in said.text


@pytest.mark.parametrize(
    ("number", "code", "why"),
    [(signal.SIGKILL, 3, "was killed before it had a verdict"), (signal.SIGTERM, 130, "was interrupted")],
    ids=["KILL", "TERM"],
)
def test_a_killed_run_is_no_verdict_and_the_edit_is_evaluated_by_the_next_step(
    project: Project, number: signal.Signals, code: int, why: str
) -> None:
    project.edit(2.0)
    step = project.begin(2.0)
    os.kill(project.worker(), number)
    said = ended(step)
    assert said.code == code and f"r0002 {why}" in said.text
    assert "flagstone experiment step one" in said.text.splitlines()[-1]
    assert project.lines() == [("r0001", "ok", "")]
    project.let_go()
    assert project.ask("step", "one").code == 0
    assert project.lines()[-1] == ("r0002", "ok", "")


def test_a_run_that_had_its_verdict_before_its_process_was_killed_keeps_it(project: Project) -> None:
    record = json.loads((project.home / "step.json").read_text())
    (project.home / "step.json").write_text(json.dumps({**record, "ended_at": ""}))
    said = project.ask("wait", "one", "--json")
    assert said.code == 0 and '"run_id": "r0001"' in said.text


def test_the_next_step_can_begin_as_soon_as_a_waiter_has_its_verdict(project: Project) -> None:
    for x in (1.5, 2.0, 2.5):
        project.let_go()
        train = project.home / "work" / "train.py"
        train.write_text(re.sub("X = .*", f"X = {x}", train.read_text()))
        said = project.ask("step", "one")
        assert said.code == 0, said.text
    assert [line[0] for line in project.lines()] == ["r0001", "r0002", "r0003", "r0004"]


def test_an_experiment_without_a_step_says_how_to_start_one(project: Project) -> None:
    (project.home / "step.json").unlink()
    said = project.ask("wait", "one")
    assert said.code == 2 and "start one: flagstone experiment step one" in said.text


def test_a_step_whose_output_cannot_be_written_says_so(project: Project) -> None:
    (project.home / "step.log").unlink()
    (project.home / "step.log").mkdir()
    said = project.ask("step", "one")
    assert said.code == 3 and "cannot write" in said.text and "step.log" in said.text
    (project.home / "step.log").rmdir()


def test_a_stop_that_cannot_be_written_says_so(project: Project) -> None:
    (project.home / "stop.new").mkdir()  # where the file is written first
    said = project.ask("stop", "one")
    assert said.code == 3 and "cannot write" in said.text, said.text
