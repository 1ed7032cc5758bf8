"""The demo agent plays the roles of a campaign: three ideas, each an edit of its own small project."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from flagstone.agents import AgentCall, AgentResult, CallOutcome, Conversation, Limits, Mode, Task
from flagstone.agents.demo import DemoAgent
from flagstone.agents.demo.roles import scripted_ideas
from flagstone.schemas import misfits
from flagstone.trials.campaign.roles import ANALYST, INNOVATOR, REVIEWER, REVISOR, Role

MATERIAL = resources.files("flagstone.agents.demo") / "material"


def ask(tmp_path: Path, number: int, role: str, mode: Mode = Mode.JUDGE) -> AgentResult:
    record = tmp_path / f"record-{number}-{role}"
    record.mkdir(exist_ok=True)
    call = AgentCall(
        prompt="",
        conversation=Conversation("a", resume=False),
        task=Task("02", f"idea {number}: {role}", number, tmp_path, tmp_path / "draft.md"),
        mode=mode,
        writable=(tmp_path / "train.py",),
        model=None,
        limits=Limits(30, 30, 5, None),
        record_dir=record,
        options={},
        sandbox="auto",
    )
    return DemoAgent().call(call, lambda event: None)


@pytest.mark.parametrize("role", [INNOVATOR, REVIEWER, REVISOR, ANALYST], ids=lambda role: role.name)
def test_each_role_answers_in_the_form_that_is_asked_for(tmp_path: Path, role: Role) -> None:
    for number in (1, 2, 3):
        result = ask(tmp_path, number, role.name)
        assert result.outcome is CallOutcome.OK, result.reason
        assert role.reply is not None and misfits(role.reply, result.structured) == []


@pytest.mark.parametrize("number", [1, 2, 3])
def test_each_idea_is_an_edit_that_changes_the_number_only_with_its_switch(tmp_path: Path, number: int) -> None:
    (tmp_path / "digits.csv.gz").write_bytes((MATERIAL / "digits.csv.gz").read_bytes())
    program = tmp_path / "train.py"
    program.write_bytes((MATERIAL / "campaign/project/train.py").read_bytes())
    switch = scripted_ideas()[number - 1]["switch"]
    baseline = numbers(program)
    assert ask(tmp_path, number, "implementer", Mode.EDIT).outcome is CallOutcome.OK
    assert numbers(program) == baseline
    assert numbers(program, *switch) != baseline


def test_an_edit_that_is_there_is_not_made_twice(tmp_path: Path) -> None:
    program = tmp_path / "train.py"
    program.write_bytes((MATERIAL / "campaign/project/train.py").read_bytes())
    ask(tmp_path, 1, "implementer", Mode.EDIT)
    once = program.read_bytes()
    ask(tmp_path, 1, "implementer", Mode.EDIT)
    assert program.read_bytes() == once


def test_a_program_that_the_script_does_not_know_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print(1)\n")
    result = ask(tmp_path, 1, "implementer", Mode.EDIT)
    assert result.outcome is CallOutcome.CONFIG and "its own project" in result.reason


def numbers(program: Path, *words: str) -> str:
    command = [sys.executable, str(program), "--seed", "1", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
