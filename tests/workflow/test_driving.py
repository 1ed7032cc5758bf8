"""A session of Claude Code drives an experiment: one at a time, and asked only where a person has to decide."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from workbench import PROGRAMS, Said, ended, start

SPEC = {
    "goal": "less loss",
    "subject": {"mutable": ["train.py"]},
    "harness": {"argv": ["python", "train.py"], "seconds": 60},
    "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
    "noise": "off",
    "proposer": "none",
    "sandbox": "off",
    "stopping": {"max_runs": 2},
}


@dataclass(frozen=True)
class Project:
    """A project with experiment `one`."""

    root: Path

    def home(self, name: str = "one") -> Path:
        return self.root / ".flagstone" / "experiments" / name

    def write(self, **changes: object) -> None:
        (self.home() / "experiment.yaml").write_text(yaml.safe_dump({**SPEC, **changes}))

    def edit(self, x: float, name: str = "one") -> None:
        (self.home(name) / "work" / "train.py").write_text(f"print('val_loss:', {x})\n")

    def ask(self, *words: str) -> Said:
        return ended(start(PROGRAMS / "flagstone", "experiment", *words, cwd=self.root))

    def drive(self, *words: str, session: str = "s1", name: str = "one") -> Said:
        return self.ask("drive", name, "--session", session, *words)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CLAUDE_CODE_SESSION_ID", raising=False)
    made = Project(tmp_path / "project")
    made.home().mkdir(parents=True)
    (made.root / "train.py").write_text("print('val_loss:', 9)\n")
    made.write()
    return made


def test_a_session_is_bound_told_all_it_needs_and_let_go(project: Project) -> None:
    said = project.drive()
    assert said.code == 0 and len(said.text.encode()) <= 2048
    for words in ("less loss", "max_runs 0/2", str(project.home() / "work"), "train.py", "experiment step one"):
        assert words in said.text
    other = project.drive(session="s2")
    assert other.code == 2 and "session s1 drives one since" in other.text
    assert "flagstone experiment drive one --release" in other.last
    assert "expr: one (driven by session s1)" in project.ask("status", "one").text.splitlines()
    assert project.drive("--release").code == 0
    assert "expr: one" in project.ask("status", "one").text.splitlines()
    assert project.drive(session="s2").code == 0
    assert json.loads((project.home() / "drive.json").read_text())["session"] == "s2"


def test_however_long_the_texts_are_the_briefing_is_short_and_its_commands_are_whole(project: Project) -> None:
    files = [f"module-{'ü' * 60}-{number}.py" for number in range(40)]
    for name in files:
        (project.root / name).touch()
    subject = {"mutable": ["train.py", *files]}
    limits = [f"{'é' * 50}{number} <= 3" for number in range(9)]
    project.write(goal="𝔤" * 1900, subject=subject, scope=["𝔰" * 150] * 9, constraints=limits)
    said = project.drive()
    assert said.code == 0 and len(said.text.encode()) <= 2048
    assert f"edit only in: {project.home() / 'work'}\n" in said.text
    assert said.last.endswith('flagstone experiment step one --note "what you changed and why" --wait 540')


def test_a_step_answers_in_one_kilobyte_with_the_verdict_and_the_next_command(project: Project) -> None:
    project.drive()
    project.edit(3.0)
    said = project.ask("step", "one", "--note", "ü" * 5000, "--wait", "540")
    assert said.code == 0 and len(said.text.encode()) <= 1536
    rows = dict(line.split(": ", 1) for line in said.text.splitlines() if ": " in line)
    wanted = {"status": "ok", "verdict": "advance", "value": "val_loss 3", "best": "3 @ r0002"}
    assert wanted.items() <= rows.items()
    assert rows["should_terminate"] == "true" and rows["next"] == "flagstone experiment report one"


def test_edits_of_somebody_else_are_asked_about_once_there_are_runs(project: Project) -> None:
    assert project.drive("--chain", "0").code == 0
    project.edit(5.0)
    assert project.drive(session="s1").code == 0, "before the first run nothing is lost"
    project.write(stopping={"max_runs": 9})
    assert project.ask("step", "one").code == 0
    project.edit(4.0)
    assert project.drive(session="s1").code == 0, "its own edits"
    project.drive("--release")
    said = project.drive()
    assert said.code == 2 and "the working files were edited" in said.text and "--back-to-best" in said.last
    assert project.drive("--continue").code == 0
    assert "4.0" in (project.home() / "work" / "train.py").read_text()
    project.drive("--release")
    assert project.drive("--back-to-best").code == 0
    assert "5.0" in (project.home() / "work" / "train.py").read_text()


def test_starting_over_is_driven_too(project: Project) -> None:
    assert project.ask("step", "one").code == 0
    said = project.drive("--fresh")
    assert said.code == 0 and "max_runs 0/2" in said.text
    assert (project.home() / "history" / "001" / "ledger.jsonl").is_file()


@pytest.mark.parametrize("stopping", [{}, {"threshold": 1.0}, {"cost_usd": 5}])
def test_what_nothing_would_ever_end_is_asked_about(project: Project, stopping: dict[str, float]) -> None:
    project.write(stopping=stopping, proposer="agent")
    said = project.drive()
    assert said.code == 2 and "nothing would ever end one" in said.text and "max_runs" in said.last
    assert not (project.home() / "drive.json").exists()


def test_what_has_ended_or_was_stopped_is_not_driven(project: Project) -> None:
    assert project.drive().code == 0
    project.edit(1.0)
    assert project.ask("stop", "one").code == 0
    said = project.drive()
    assert (
        said.code == 2 and "one was stopped" in said.text and "flagstone experiment drive one --continue" in said.last
    )
    assert project.drive("--continue").code == 0, "no agent of ours is started: the session goes on itself"
    assert project.ask("step", "one").code == 0
    said = project.drive()
    assert said.code == 2 and "one has ended: max_runs(2)" in said.text


def test_a_chain_goes_on_with_the_child_and_gets_shorter(project: Project) -> None:
    assert project.drive("--chain", "1").code == 0
    project.edit(1.0)
    said = project.ask("step", "one")
    assert "flagstone experiment report one, then flagstone experiment chain one NEXT" in said.text
    assert "flagstone experiment drive NEXT" in said.text
    said = project.ask("chain", "one", "two", "--rationale", "why not")
    assert said.code == 0 and said.last == "next: flagstone experiment drive two"
    said = project.drive(name="two")
    assert said.code == 0 and "experiment: two" in said.text
    assert json.loads((project.home("two") / "drive.json").read_text())["chain"] == 0
    assert not (project.home() / "drive.json").exists()


def test_a_shell_of_claude_code_needs_to_name_no_session(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    said = project.ask("drive", "one")
    assert said.code == 2 and "--session ID" in said.last
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "2f0c")
    assert project.ask("drive", "one").code == 0
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "../../x")
    said = project.ask("drive", "one")
    assert said.code == 2 and "is not the id of a session" in said.text
