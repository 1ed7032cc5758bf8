"""What a call is held to: by the settings, by the machine, and by what it was granted."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from demo_run import demo_run
from stand_in import StandIn

from flagstone.agents import sandbox
from flagstone.agents.protocol import AgentCall, CallOutcome, Mode
from flagstone.agents.sandbox import Strength, confinement_for, mechanisms_of
from flagstone.errors import FlagstoneError

NO_BUBBLEWRAP = "bubblewrap is not installed"
BOTH, LANDLOCK, OLD = Strength(7, ""), Strength(7, NO_BUBBLEWRAP), Strength(2, NO_BUBBLEWRAP)
BUBBLEWRAP, NEITHER = Strength(0, ""), Strength(0, NO_BUBBLEWRAP)
Asked = Callable[..., AgentCall]


@pytest.fixture
def call(asked: Asked) -> Asked:
    """A call whose workspace and draft are there."""

    def made(**changes: object) -> AgentCall:
        made = asked(**{"sandbox": "auto", **changes})
        made.task.draft.parent.mkdir(parents=True, exist_ok=True)
        made.task.draft.touch()
        (made.task.run_root / "workspace").mkdir(exist_ok=True)
        return replace(made, writable=(made.task.run_root / "workspace", made.task.draft))

    return made


@pytest.mark.parametrize(
    ("here", "mode", "held"),
    [
        (BOTH, Mode.WORK, "landlock+bubblewrap"),
        (LANDLOCK, Mode.WORK, "landlock"),
        (Strength(1, ""), Mode.WORK, "landlock+bubblewrap"),
        (BUBBLEWRAP, Mode.EDIT, "bubblewrap"),
        (NEITHER, Mode.EDIT, ""),
        (NEITHER, Mode.JUDGE, ""),
    ],
)
def test_auto_takes_what_is_there(call: Asked, here: Strength, mode: Mode, held: str) -> None:
    assert mechanisms_of(confinement_for(call(mode=mode), (), here=here)) == held


@pytest.mark.parametrize("here", [NEITHER, BUBBLEWRAP, OLD])
def test_auto_refuses_to_run_programs_where_nothing_keeps_them(call: Asked, here: Strength) -> None:
    with pytest.raises(FlagstoneError, match="stage 03 lets an agent run programs") as refused:
        confinement_for(call(), (), here=here)
    assert "Linux 6.2" in refused.value.hint and "sandbox" in refused.value.hint


@pytest.mark.parametrize("here", [NEITHER, BUBBLEWRAP, LANDLOCK, OLD])
@pytest.mark.parametrize("mode", Mode)
def test_require_refuses_with_less_than_both(call: Asked, here: Strength, mode: Mode) -> None:
    with pytest.raises(FlagstoneError, match="requires the whole sandbox") as refused:
        confinement_for(call(sandbox="require", mode=mode), (), here=here)
    assert (NO_BUBBLEWRAP in refused.value.problem) is bool(here.bubblewrap_fault)
    assert ("Landlock" in refused.value.problem) is bool(here.landlock_fault)


def test_off_means_off_everywhere(call: Asked) -> None:
    assert confinement_for(call(sandbox="off"), (), here=BOTH) is None
    assert confinement_for(call(sandbox="off"), (), here=NEITHER) is None


def test_our_own_function_is_held_as_far_as_it_can_be_and_never_refused(call: Asked) -> None:
    assert mechanisms_of(confinement_for(call(), (), is_program=False, here=BOTH)) == "landlock"
    assert confinement_for(call(), (), is_program=False, here=NEITHER) is None


def test_a_judge_may_write_nothing_but_its_driver_s_folders(call: Asked, tmp_path: Path) -> None:
    confinement = confinement_for(call(mode=Mode.JUDGE), (tmp_path,), here=BOTH)
    assert confinement is not None and confinement.writable == (tmp_path,)


def test_a_grant_that_is_a_link_is_refused(call: Asked) -> None:
    made = call()
    made.task.draft.unlink()
    made.task.draft.symlink_to(made.task.run_root / "workspace")
    with pytest.raises(FlagstoneError, match="is a link"):
        confinement_for(made, (), here=BOTH)


def test_a_grant_behind_a_link_that_leaves_the_run_is_refused(call: Asked, tmp_path: Path) -> None:
    made = call()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "train.py").touch()
    (made.task.run_root / "workspace" / "code").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FlagstoneError, match="leaves the run"):
        confinement_for(replace(made, writable=(made.task.run_root / "workspace/code/train.py",)), (), here=BOTH)


def test_a_run_that_lies_behind_a_link_may_be_worked_on(call: Asked, tmp_path: Path) -> None:
    made = call()
    link = tmp_path / "link"
    link.symlink_to(made.task.run_root)
    through = replace(made, task=replace(made.task, run_root=link), writable=(link / "workspace",))
    confinement = confinement_for(through, (), here=BOTH)
    assert confinement is not None and confinement.writable == (made.task.run_root / "workspace",)


def test_a_grant_that_is_not_there_is_said(call: Asked, tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match="does not exist"):
        confinement_for(replace(call(), writable=(tmp_path / "nothing",)), (), here=BOTH)


def test_doors_to_other_processes_are_hidden(call: Asked, tmp_path: Path) -> None:
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    (tmp_path / "agent.sock").touch()
    environ = {"HOME": str(tmp_path / "home"), "SSH_AUTH_SOCK": str(tmp_path / "agent.sock")}
    confinement = confinement_for(call(hidden=(tmp_path,)), (), here=BOTH, environ=environ)
    assert confinement is not None
    assert {tmp_path, tmp_path / "home" / ".ssh", tmp_path / "agent.sock"} <= set(confinement.hidden)


def test_claude_runs_inside_and_says_so(cli: StandIn, call: Asked) -> None:
    if not sandbox.strength().keeps_files:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(sandbox.strength().fault_text)
    (cli.folder / "then").write_text("echo x > approved; echo y > workspace/made; echo $TMPDIR > $TMPDIR/z\n")
    result = cli.answer(call())
    assert not (call().task.run_root / "approved").exists()
    assert (call().task.run_root / "workspace" / "made").read_text() == "y\n"
    assert "landlock" in result.sandbox and result.outcome is CallOutcome.OK


@pytest.mark.parametrize("action", ["forge", "edit-approved brief.md", "write run.yaml x", "write approved/02.flag x"])
def test_mischief_of_the_demo_agent_is_prevented_and_reported(tmp_path: Path, action: str) -> None:
    if not sandbox.strength().keeps_files:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(sandbox.strength().fault_text)
    for name in ("brief.md", "run.yaml", "approved/seals.jsonl", "stages/01_x.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("as it was\n")
    run = demo_run(tmp_path, script={"*": [action, "instant"]})
    result = run.call("02")
    assert (result.denied, result.sandbox) == ((action.split()[0],), "landlock")
    assert result.outcome is CallOutcome.OK
    assert any("refused" in event.text for event in run.events)
    assert not (tmp_path / "approved/02.flag").exists()
    for name in ("brief.md", "run.yaml", "approved/seals.jsonl", "stages/01_x.md"):
        assert (tmp_path / name).read_text() == "as it was\n"


def test_a_link_the_demo_agent_makes_leads_to_nothing_it_can_write(tmp_path: Path) -> None:
    if not sandbox.strength().keeps_files:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(sandbox.strength().fault_text)
    (tmp_path / "brief.md").write_text("as it was\n")
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "way").symlink_to("../brief.md")
    result = demo_run(tmp_path, script={"*": ["write workspace/way x", "symlink-out"]}).call("02")
    assert result.denied == ("write",)
    assert (tmp_path / "brief.md").read_text() == "as it was\n"
