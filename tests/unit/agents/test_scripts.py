"""The script language of the agent `scripted`, which plays agents that misbehave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from demo_run import demo_run
from scripted_agent import actions
from scripted_agent.script import ACTIONS, Action, actions_of

from flagstone.errors import FlagstoneError


def planned(tmp_path: Path, script: Any, stage: str = "02", attempt: int = 1) -> list[Action]:
    return list(actions_of(demo_run(tmp_path, script=script).asked(stage, attempt)))


def test_without_a_script_every_stage_is_a_study(tmp_path: Path) -> None:
    assert actions_of(demo_run(tmp_path).asked("02")) == (Action("study"),)


def test_the_more_exact_entry_wins(tmp_path: Path) -> None:
    script = {"*": "write-nothing", "02": {"*": "instant", 2: "crash"}, "3": {"1": "placeholder"}}
    assert planned(tmp_path, script, attempt=1) == [Action("instant")]
    assert planned(tmp_path, script, attempt=2) == [Action("crash")]
    assert planned(tmp_path, script, "03", 1) == [Action("placeholder")]
    assert planned(tmp_path, script, "03", 2) == [Action("write-nothing")]


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("instant", [Action("instant")]),
        ("hang 30", [Action("hang", ("30",))]),
        (["hang", 30], [Action("hang", ("30",))]),
        (["write-garbage"], [Action("write-garbage")]),
        (["say hello there", "instant"], [Action("say", ("hello there",)), Action("instant")]),
        (["rate-limit", "instant"], [Action("rate-limit"), Action("instant")]),
        ([["sleep", 0.5], {"say": "hi"}], [Action("sleep", ("0.5",)), Action("say", ("hi",))]),
        ("write workspace/a.txt two words", [Action("write", ("workspace/a.txt", "two words"))]),
        ("missing-section Key Results", [Action("missing-section", ("Key Results",))]),
        ({"do": ["sleep", 2], "then": "instant"}, [Action("sleep", ("2",)), Action("instant")]),
        ({"then": "study"}, [Action("study")]),
    ],
)
def test_an_entry_may_be_written_in_several_ways(tmp_path: Path, entry: Any, wanted: list[Action]) -> None:
    assert planned(tmp_path, {"02": {1: entry}}) == wanted


def test_a_script_may_lie_in_a_file_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_text('"02":\n  "*": instant\n  2: [hang, 30]\n')
    assert planned(tmp_path, "script.yaml", attempt=2) == [Action("hang", ("30",))]
    assert planned(tmp_path, str(tmp_path / "script.yaml"), attempt=1) == [Action("instant")]


@pytest.mark.parametrize(
    "entry", ["dance", "hang soon", "hang", "exit", ["dance", 3], 7, {"say": "a", "exit": 1}, "outcome lovely"]
)
def test_an_unknown_action_is_an_error_that_lists_the_known_ones(tmp_path: Path, entry: Any) -> None:
    with pytest.raises(FlagstoneError) as error:
        planned(tmp_path, {"02": {1: entry}})
    assert all(name in error.value.hint for name in ACTIONS)


def test_a_script_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("{")
    for script in ("broken.yaml", "missing.yaml"):
        with pytest.raises(FlagstoneError, match="cannot read"):
            planned(tmp_path, script)


def test_every_action_is_described_and_carried_out() -> None:
    described = Path(actions.__file__).with_name("README.md").read_text()
    assert set(actions.DEEDS) == set(ACTIONS)
    assert all(f"`{name}" in described for name in ACTIONS)
