"""The hooks of the plugin, as Claude Code starts them: JSON on stdin, an answer or silence, and never a failure."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from flagstone import __version__
from flagstone.experiments.checking import write_check
from flagstone.experiments.engine import Drive, bind, engine_of, run_step
from flagstone.experiments.engine.opening import open_experiment
from flagstone.plans import Home, load_spec

ROOT = Path(__file__).resolve().parents[3]
HOOK = ROOT / "plugin" / "hooks" / "hook.sh"
FLAGSTONE = Path(sys.executable).with_name("flagstone")
EVENTS = ("session-start", "before-tool", "stop")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def home(tmp_path: Path, state: Path) -> Home:
    """An experiment that session `mine` drives, before its first run."""
    project = tmp_path / "project"
    home = Home(project / ".flagstone" / "experiments" / "one", project)
    home.root.mkdir(parents=True)
    (project / "train.py").write_text("print('val_loss: 1')\n")
    (project / "prepare.py").write_text("")
    spec = {
        "goal": "less loss",
        "subject": {"mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py"]},
        "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
        "proposer": "none",
        "stopping": {"max_runs": 9},
    }
    home.spec.write_text(yaml.safe_dump(spec))
    open_experiment(home, ROOT / "schemas")
    bind(home, Drive("mine", "2026-01-01T00:00:00Z"), str(FLAGSTONE))
    return home


def ask(event: str, session: str = "mine", path: str = os.environ["PATH"], **given: Any) -> str:
    """What the hook prints. It never fails, and has nothing to say on stderr."""
    question = json.dumps({"session_id": session, "cwd": "/", **given}, separators=(",", ":"))
    environ = {**os.environ, "CLAUDE_CODE_SESSION_ID": session, "PATH": path}
    done = subprocess.run(["sh", HOOK, event], input=question, capture_output=True, text=True, env=environ, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def decision(answer: str) -> str:
    return str(json.loads(answer)["hookSpecificOutput"]["permissionDecision"])


def edit_of(path: Path | str) -> dict[str, Any]:
    return {"tool_name": "Edit", "tool_input": {"file_path": str(path), "old_string": "a", "new_string": "b"}}


def shell(command: str) -> dict[str, Any]:
    return {"tool_name": "Bash", "tool_input": {"command": command, "description": "what it does"}}


@pytest.mark.parametrize("event", EVENTS)
def test_a_session_that_drives_nothing_is_left_alone_and_no_program_of_ours_is_started(
    home: Home, tmp_path: Path, event: str
) -> None:
    started = tmp_path / "started"
    for name in ("flagstone", "python", "python3"):
        trap = tmp_path / "bin" / name
        trap.parent.mkdir(exist_ok=True)
        trap.write_text(f"#!/bin/sh\ntouch {started}\n")
        trap.chmod(0o755)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    assert ask(event, "another", path, **edit_of(home.base / "train.py")) == ""
    assert ask(event, "", path, **shell("ls")) == ""
    assert not started.exists()


def test_the_end_is_refused_while_the_loop_goes_on_and_the_next_command_is_named(home: Home) -> None:
    answer = json.loads(ask("stop"))
    assert answer["decision"] == "block"
    assert 'flagstone experiment step one --note "what you changed and why" --wait 540' in answer["reason"]
    assert "flagstone experiment stop one" in answer["reason"]


def test_a_session_that_a_person_has_stopped_may_end(home: Home) -> None:
    home.stop.touch()
    assert [ask(event, **edit_of("/etc/x")) for event in EVENTS] == ["", "", ""]


def test_a_session_may_end_if_the_check_has_refuted_the_experiment(home: Home) -> None:
    found: dict[str, Any] = {"rows": [], "exit": 0, "proposal": {}}
    spec = load_spec(home.spec, home.base, ROOT / "schemas", compiled=home.compiled)
    write_check(home, spec, found)
    assert "Next: edit, then flagstone experiment step" in ask("stop")
    write_check(home, spec, {**found, "exit": 2})
    assert ask("stop") == ""


def test_a_session_whose_experiment_has_ended_is_let_go_for_good(home: Home, state: Path) -> None:
    spec = yaml.safe_load(home.spec.read_text())
    with engine_of(open_experiment(home, ROOT / "schemas"), None, lambda _: None) as engine:
        run_step(engine, "")
    assert "block" in ask("stop")
    home.spec.write_text(yaml.safe_dump({**spec, "stopping": {"max_runs": 1}}))
    assert ask("stop") == ""
    assert not (state / "flagstone" / "sessions" / "mine").exists() and not home.drive.exists()


def test_who_took_an_experiment_over_is_held_and_who_had_it_is_not(home: Home, state: Path) -> None:
    kept = (state / "flagstone" / "sessions" / "mine").read_text()
    bind(home, Drive("other", "2026-01-01T00:00:00Z"), str(FLAGSTONE))
    (state / "flagstone" / "sessions" / "mine").write_text(kept)
    assert ask("stop", "mine") == "" and "block" in ask("stop", "other")


def test_the_session_is_known_from_the_question_too(home: Home) -> None:
    question = json.dumps({"session_id": "mine", "cwd": "/"}, separators=(",", ":"))
    environ = {name: value for name, value in os.environ.items() if name != "CLAUDE_CODE_SESSION_ID"}
    done = subprocess.run(
        ["sh", HOOK, "stop"], input=question, capture_output=True, text=True, env=environ, timeout=300
    )
    assert "block" in done.stdout


def test_a_session_may_end_after_a_step_that_failed_for_good(home: Home) -> None:
    step = {"run": "r0001", "pid": 1, "host": "x", "began_at": "x", "ended_at": "x", "problem": "processes are left"}
    home.step.write_text(json.dumps({**step, "exit_code": 3}))
    assert ask("stop") == ""
    home.step.write_text(json.dumps({**step, "exit_code": 2}))
    assert "block" in ask("stop")


def test_a_restarted_session_is_told_where_it_was_in_two_kilobytes(home: Home) -> None:
    said = ask("session-start")
    assert str(home.working) in said and "next: flagstone experiment check one, then edit, then flagstone" in said
    assert len(said.encode()) <= 2048


@pytest.mark.parametrize("name", ["../train.py", "../../../../train.py", "prepare.py", "../experiment.yaml", "new.py"])
def test_only_the_working_files_that_may_change_can_be_edited(home: Home, name: str) -> None:
    assert decision(ask("before-tool", **edit_of(home.working / "train.py"))) == "allow"
    assert decision(ask("before-tool", **edit_of(home.working / name))) == "deny"


@pytest.mark.parametrize(
    ("command", "is_allowed"),
    [
        ('flagstone experiment step one --note "lr 3 -> 2; (or so) & more" --wait 540', True),
        ("flagstone experiment wait one --wait 540", True),
        ("flagstone experiment tail one r0002", True),
        ("flagstone experiment step one && touch x", False),
        ("flagstone experiment step one; touch x", False),
        ("flagstone experiment step one > train.py", False),
        ("flagstone experiment step one\ntouch x", False),
        ('flagstone experiment step one --note "$(touch x)"', False),
        ('flagstone experiment step one --note "`touch x`"', False),
        ("flagstone experiment step one --note 'unended", False),
        ("X=1 flagstone experiment step one", False),
        ("git push", False),
    ],
)
def test_the_commands_of_the_loop_need_no_person_and_no_other_is_allowed(
    home: Home, command: str, is_allowed: bool
) -> None:
    answer = ask("before-tool", **shell(command))
    assert (decision(answer) == "allow") if is_allowed else answer == ""


@pytest.mark.parametrize(
    "command",
    [
        "flagstone experiment stop one",
        "cd /tmp; flagstone experiment drive one --release",
        "flagstone experiment drive one --fresh",
    ],
)
def test_a_person_is_asked_before_a_session_ends_its_own_loop(home: Home, command: str) -> None:
    assert decision(ask("before-tool", **shell(command))) == "ask"
    assert ask("before-tool", "another", **shell(command)) == ""


def test_a_session_whose_program_has_moved_is_held_by_the_one_on_the_path(home: Home) -> None:
    bind(home, Drive("mine", "2026-01-01T00:00:00Z"), "/gone/flagstone")
    assert "block" in ask("stop", path=f"{FLAGSTONE.parent}:{os.environ['PATH']}")


def test_a_link_in_the_working_files_leads_no_edit_out_of_them(home: Home) -> None:
    (home.working / "train.py").unlink()
    (home.working / "train.py").symlink_to(home.base / "train.py")
    assert decision(ask("before-tool", **edit_of(home.working / "train.py"))) == "deny"


@pytest.mark.parametrize("session", ["mine", "another"])
def test_the_approvals_of_a_run_are_left_to_a_person(home: Home, tmp_path: Path, session: str) -> None:
    run = tmp_path / "runs" / "attn"
    run.mkdir(parents=True)
    flag = edit_of(run / "approved" / "03.flag")
    home.stop.touch()
    assert ask("before-tool", session, **flag) == "", "a folder of this name that is not a run's"
    (run / "run.yaml").touch()
    assert decision(ask("before-tool", session, **flag)) == "deny"
    for command in (
        "flagstone approve 03",
        'flagstone "approve" 03',
        "cd x && flagstone --project . approve",
        "touch runs/attn/approved/03.flag",
        "cd approved && touch 01.flag",
        "echo > runs/attn/approved/03.flag",
    ):
        assert decision(ask("before-tool", session, **shell(command))) == "ask"
    for command in (
        "flagstone status",
        "ls /flagstone/x/approved/",
        "ls runs/attn/approved/",
        "cp a data/approved/b",
        "git commit -m 'approved'",
    ):
        assert ask("before-tool", session, **shell(command)) == ""


def test_what_a_file_says_about_approvals_is_no_approval(home: Home) -> None:
    home.stop.touch()
    text = '"file_path":"/r/approved/03.flag" "command":"flagstone approve 03"'
    given = {"tool_name": "Write", "tool_input": {"content": text, "file_path": "/tmp/notes.md"}}
    assert ask("before-tool", **given) == ""


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(
    "program", ["exit 1", "echo rubbish; exit 1", "kill -9 $$", 'echo \'{"decision": "block"}\'; exit 3']
)
def test_a_program_that_fails_holds_nothing_up(home: Home, tmp_path: Path, event: str, program: str) -> None:
    broken = tmp_path / "broken"
    broken.write_text(f"#!/bin/sh\n{program}\n")
    broken.chmod(0o755)
    bind(home, Drive("mine", "x"), str(broken))
    assert ask(event, **edit_of("/etc/passwd")) == ""


@pytest.mark.parametrize("event", ["before-tool", "stop"])
def test_rubbish_is_no_answer(home: Home, tmp_path: Path, event: str) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho rubbish\n")
    broken.chmod(0o755)
    bind(home, Drive("mine", "x"), str(broken))
    assert ask(event) == ""


@pytest.mark.parametrize("damage", ["", "\n", "/nowhere/flagstone\n/nowhere\n/nowhere\n", "\0\n\n\n"])
def test_a_damaged_binding_holds_nothing_up(home: Home, state: Path, damage: str) -> None:
    (state / "flagstone" / "sessions" / "mine").write_text(damage)
    assert [ask(event, **edit_of("/etc/x")) for event in EVENTS] == ["", "", ""]


def test_an_experiment_that_is_gone_binds_nobody(home: Home) -> None:
    home.root.rename(home.root.with_name("elsewhere"))
    assert [ask(event, **edit_of("/etc/x")) for event in EVENTS] == ["", "", ""]


@pytest.mark.parametrize(("installed", "lines"), [("0.0.9", 1), (__version__, 0), (None, 0)])
def test_another_version_than_that_of_the_plugin_is_one_line_at_the_start(
    tmp_path: Path, state: Path, installed: str | None, lines: int
) -> None:
    program = tmp_path / "venv" / "bin" / "flagstone"
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    if installed:
        (tmp_path / f"venv/lib/python3.11/site-packages/flagstone-{installed}.dist-info").mkdir(parents=True)
    link = tmp_path / "bin" / "flagstone"
    link.parent.mkdir()
    link.symlink_to(program)
    said = ask("session-start", "another", f"{link.parent}:{os.environ['PATH']}")
    assert len(said.splitlines()) == lines
    assert ("0.0.9" in said) == bool(lines)
