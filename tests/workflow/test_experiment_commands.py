"""`flagstone experiment` in somebody's own project: real command lines, and a small coding CLI as the agent."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from workbench import ended, in_the_background, run_command, wait_until

from flagstone.processes.confinement import machine

FLAGSTONE = Path(sys.executable).parent / "flagstone"
TRAIN = "X = 1.0\nprint(f'val_loss: {(X - 3) ** 2}')\n"
# halves the way to 3 in each edit; asked for a design it answers with one
CLI = """
import json, pathlib, re, sys
prompt = sys.stdin.read()
if "design the experiment after" in prompt:
    assert "r0002" in prompt, prompt
    print(json.dumps({"name": "two", "goal": "lower still", "rationale": "r0002: X moved it most"}))
else:
    path = pathlib.Path("train.py")
    text = path.read_text()
    now = float(re.search(r"X = (.*)", text)[1])
    path.write_text(re.sub(r"X = .*", f"X = {(now + 3) / 2}", text))
    print("halfway to 3")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one file, and an experiment whose agent is that CLI."""
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "cli.py").write_text(CLI)
    folder = tmp_path / ".flagstone" / "experiments" / "one"
    folder.mkdir(parents=True)
    (folder / "experiment.yaml").write_text(yaml.safe_dump(spec(tmp_path), sort_keys=False))
    return tmp_path


def spec(project: Path, **changes: Any) -> dict[str, Any]:
    return {
        "goal": "less loss",
        "subject": {"mutable": ["train.py"]},
        "harness": {"argv": ["python", "train.py"], "seconds": 60},
        "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
        "noise": "off",
        "agent": {"driver": "command", "options": {"argv": [sys.executable, str(project / "cli.py")]}},
        "stopping": {"max_runs": 3},
        **changes,
    }


def flagstone(project: Path, *words: str, code: int = 0) -> str:
    """What a command says, errors included."""
    done = run_command("flagstone", "experiment", *words, cwd=project)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def ledger(project: Path, name: str) -> list[dict[str, Any]]:
    path = project / ".flagstone" / "experiments" / name / "ledger.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_chain_goes_on_from_the_best_as_the_agent_designs_it(project: Path) -> None:
    said = flagstone(project, "run", "one", "--chain", "1")
    assert "two begins from one/r0003: r0002: X moved it most" in said
    assert [line["value"] for line in ledger(project, "one")] == [4.0, 1.0, 0.25]
    assert [line["value"] for line in ledger(project, "two")] == [0.25, 0.0625, 0.015625]
    decision = json.loads((project / ".flagstone" / "experiments" / "two" / "chain_decision.json").read_text())
    assert (decision["parent_expr"], decision["rationale"]) == ("one", "r0002: X moved it most")
    assert (decision["child_goal"], decision["chain_position"]) == ("lower still", 1)


def test_a_chain_that_was_stopped_designs_nothing_twice(project: Path) -> None:
    flagstone(project, "run", "one", "--chain", "1")
    said = flagstone(project, "run", "one", "--chain", "2")
    assert "two already follows one" in said and "two-2 begins from two/r0003" in said
    assert len(ledger(project, "one")) == len(ledger(project, "two")) == len(ledger(project, "two-2")) == 3


def test_a_chain_without_an_agent_says_how_a_person_goes_on(project: Path) -> None:
    path = project / ".flagstone" / "experiments" / "one" / "experiment.yaml"
    search = {"parameters": {"X": {"low": 0.0, "high": 4.0}}}
    path.write_text(yaml.safe_dump(spec(project, proposer="search", search=search)))
    said = flagstone(project, "run", "one", "--chain", "1", code=2)
    assert 'flagstone experiment chain one NEXT --rationale "…"' in said
    assert len(ledger(project, "one")) == 3


def test_a_new_experiment_on_a_repository_says_what_is_not_part_of_it(project: Path) -> None:
    git(project, "init", "-q", ".")
    git(project, "add", "train.py")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")
    words = ("new", "fast", "--kind", "git", "--mutable", "*.py", "--metric", "val_loss", "--", "python", "train.py")
    said = flagstone(project, *words)
    assert "note: not committed, but part of every run and of the branch of the best: cli.py" in said
    assert said.splitlines()[-1] == "next: flagstone experiment check fast"


def test_an_agent_with_a_shell_does_not_reach_the_repository_around_its_draft(project: Path) -> None:
    git(project, "init", "-q", ".")
    commit = "git add -fA . && git -c user.name=a -c user.email=a@b commit -qm mine"
    (project / "cli.py").write_text(f"{CLI}\nimport subprocess\nsubprocess.run({commit!r}, shell=True)\n")
    path = project / ".flagstone" / "experiments" / "one" / "experiment.yaml"
    path.write_text(yaml.safe_dump({**spec(project), "sandbox": "off"}))
    flagstone(project, "run", "one", "--runs", "2")
    assert git(project, "log", "--oneline", code=128) == ""
    assert len(ledger(project, "one")) == 2


@pytest.mark.parametrize(
    ("number", "by", "ends"),
    [(signal.SIGTERM, "a signal stopped it", ""), (signal.SIGINT, "a person stopped it", "manual")],
    ids=["SIGTERM", "SIGINT"],
)
def test_a_loop_that_was_started_in_the_background_stops_when_it_is_asked_to(
    project: Path, number: signal.Signals, by: str, ends: str
) -> None:
    begun = project / "begun"
    slow = spec(project, harness={"argv": ["sh", "-c", f"touch {begun}; exec sleep 60"], "seconds": 90}, sandbox="off")
    (project / ".flagstone" / "experiments" / "one" / "experiment.yaml").write_text(yaml.safe_dump(slow))
    loop = in_the_background("flagstone", "experiment", "run", "one", "--no-check", cwd=project)
    wait_until(begun.exists, "the first run")
    loop.send_signal(number)
    said = ended(loop, 30)
    assert said.code == 130, said.text
    facts = [(line["status"], line["reason"], line["terminated_by"]) for line in ledger(project, "one")]
    assert facts == [("interrupted", by, ends)]


def git(project: Path, *words: str, code: int = 0) -> str:
    done = subprocess.run(["git", *words], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


def test_a_chain_of_nothing_is_refused(project: Path) -> None:
    flagstone(project, "run", "one", "--chain", "0", code=2)
    assert not (project / ".flagstone" / "experiments" / "one" / "ledger.jsonl").exists()


def test_the_best_of_a_repository_is_taken_over_with_the_command_that_is_printed(project: Path) -> None:
    git(project, "init", "-q", ".")
    git(project, "add", "train.py")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")
    path = project / ".flagstone" / "experiments" / "one" / "experiment.yaml"
    path.write_text(yaml.safe_dump(spec(project, subject={"kind": "git", "mutable": ["train.py"]})))
    assert "as a branch" not in flagstone(project, "run", "one", "--runs", "2")
    said = flagstone(project, "run", "one").splitlines()
    (line,) = (line for line in said if line.startswith("to get it as a branch: git -C "))
    subprocess.run(shlex.split(line.partition(": ")[2]), check=True, capture_output=True)
    assert "X = 2.5" in git(project, "show", "one-r0003:train.py")
    assert (project / "train.py").read_text() == TRAIN


def test_a_sandbox_that_fails_is_no_crash_of_the_candidate(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, bin_folder = shutil.which("bwrap"), project / "bin"
    if real is None or machine.bubblewrap_fault():
        pytest.skip("needs bubblewrap")
    flagstone(project, "run", "one", "--runs", "1")
    bin_folder.mkdir()
    failing = 'case "$*" in *train.py*) echo "bwrap: cannot mount /proc" >&2; exit 1;; esac'
    (bin_folder / "bwrap").write_text(f'#!/bin/sh\n{failing}\nexec {real} "$@"\n')
    (bin_folder / "bwrap").chmod(0o755)
    with monkeypatch.context() as patched:
        patched.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
        said = flagstone(project, "run", "one", code=3)
    assert "the sandbox could not be set up: bwrap: cannot mount /proc" in said and len(ledger(project, "one")) == 1
    flagstone(project, "run", "one")
    assert [line["verdict"] for line in ledger(project, "one")] == ["advance"] * 3


def test_without_an_agent_a_person_is_told_of_the_way_without_a_model(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project / ".flagstone" / "experiments" / "one" / "experiment.yaml"
    path.write_text(yaml.safe_dump({**spec(project), "agent": {}}))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    said = flagstone(project, "run", "one", "--no-check", code=2)
    assert "Claude Code is not installed" in said and "flagstone setup NAME --param KEY=LOW:HIGH" in said


def test_a_person_continues_after_runs_without_a_proposal(project: Path) -> None:
    (project / "late.py").write_text(
        "import pathlib\ndef propose(view, draft):\n    path = pathlib.Path(draft, 'train.py')\n"
        "    if view['number'] > 5:\n"
        "        path.write_text(path.read_text().replace('1.0', f'{view[\"number\"] / 2}'))\n    return 'looked'\n"
    )
    path = project / ".flagstone" / "experiments" / "one" / "experiment.yaml"
    ends = {"max_runs": 20, "proposals": 2}
    path.write_text(yaml.safe_dump(spec(project, proposer="scripted", script="late.py", stopping=ends)))
    said = flagstone(project, "run", "one")
    assert "ended by proposals(2)" in said and "the last: no proposal: nothing was changed" in said
    assert "flagstone experiment resume one" in said
    flagstone(project, "run", "one")
    assert len(ledger(project, "one")) == 3, "the same call makes no run"
    flagstone(project, "resume", "one")
    assert len(ledger(project, "one")) == 5
    flagstone(project, "resume", "one", "--runs", "1")
    assert [line["value"] for line in ledger(project, "one")][-1] == 0.0


def test_steps_by_hand_go_on_after_a_stop_and_tail_says_why_there_is_no_log(project: Path) -> None:
    (project / ".flagstone/experiments/one/experiment.yaml").write_text(yaml.safe_dump(spec(project, proposer="none")))
    flagstone(project, "step", "one")
    flagstone(project, "stop", "one")
    assert "next: flagstone experiment step one" in flagstone(project, "resume", "one")
    working = project / ".flagstone/experiments/one/work/train.py"
    working.unlink()
    working.symlink_to(project / "train.py")
    flagstone(project, "step", "one")
    said = flagstone(project, "tail", "one")
    assert "r0002 has no log. violation: train.py was replaced by a link" in said
