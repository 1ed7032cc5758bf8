"""/flagstone:run in the real Claude Code: it goes on until the experiment ends, edits only what it may, and lets go."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from desk import then
from messages_api import MessagesApi, Says, use
from terminal import BIN, PLUGIN, Terminal

TRAIN = """
import os, pathlib, time
X = 1.0
while X == 2.0 and not pathlib.Path(os.environ["GO"]).exists():
    time.sleep(0.01)
print("val_loss:", (X - 3) ** 2)
"""
STEP = 'flagstone experiment step one --note "another X" --wait 540'
SHORT_MS = 10_000  # a command that only waits is ended by then; the real limit is 600 seconds


@pytest.fixture
def terminal(tmp_path: Path, program: Path, api: MessagesApi) -> Terminal:
    """A person's project with experiment `one`, of three runs. With X = 2.0 a run waits for the file `go`."""
    made = Terminal(program, api, tmp_path / "project", tmp_path / "home")
    made.home.mkdir()
    made.plugin = tmp_path / "plugin"
    shutil.copytree(PLUGIN, made.plugin)  # of what is around it, nothing is there where it was installed from a clone
    root = experiment(made)
    root.mkdir(parents=True)
    (made.project / "train.py").write_text(TRAIN)
    harness = {"argv": ["python", "train.py"], "seconds": 120, "env": {"GO": str(made.project / "go")}}
    spec = {
        "goal": "less loss",
        "subject": {"mutable": ["train.py"]},
        "harness": harness,
        "metric": {"name": "val_loss", "direction": "min", "backend": "log"},
        "noise": "off",
        "proposer": "none",
        "sandbox": "off",
        "stopping": {"max_runs": 3},
    }
    (root / "experiment.yaml").write_text(yaml.safe_dump(spec))
    return made


def experiment(terminal: Terminal) -> Path:
    return terminal.project / ".flagstone" / "experiments" / "one"


def drive(terminal: Terminal) -> Says:
    return use("Bash", command=f"flagstone experiment drive one --session {terminal.session}")


def edit(terminal: Terminal, x: float) -> Callable[[Any], Says]:
    """Writes the working file, as an editor of the session does after it has read it."""
    path = experiment(terminal) / "work" / "train.py"

    def line(_: Any) -> Says:
        return use("Write", file_path=str(path), content=TRAIN.replace("X = 1.0", f"X = {x}"))

    return line


def read(terminal: Terminal) -> Says:
    return use("Read", file_path=str(experiment(terminal) / "work" / "train.py"))


def step(**given: Any) -> Says:
    return use("Bash", command=STEP, **{"timeout": 600_000, **given})


def flagstone(terminal: Terminal, *words: str) -> None:
    subprocess.run([BIN / "flagstone", *words], cwd=terminal.project, env=terminal.variables(), check=True, timeout=300)


def ledger(terminal: Terminal) -> list[tuple[str, str, str]]:
    lines = (experiment(terminal) / "ledger.jsonl").read_text().splitlines()
    return [(row["run_id"], row["status"], row["terminated_by"]) for row in map(json.loads, lines)]


def last_words(api: MessagesApi, number: int) -> str:
    """What the model was told before its reply of this number."""
    return api.asked[number].heard[-1]


def test_it_is_held_in_the_loop_to_what_it_may_edit_and_a_run_outlives_the_limit_of_its_shell(
    terminal: Terminal, api: MessagesApi
) -> None:
    spec = experiment(terminal) / "experiment.yaml"
    go = terminal.project / "go"
    api.plays(
        drive(terminal),
        Says("I would stop here."),
        use("Bash", command="flagstone experiment stop one"),
        read(terminal),
        use("Edit", file_path=str(spec), old_string="max_runs: 3", new_string="max_runs: 1"),
        edit(terminal, 2.0),
        step(timeout=SHORT_MS),
        then(go.touch, use("Bash", command="flagstone experiment wait one --wait 540", timeout=600_000)),
        Says("Is it time to stop?"),
        edit(terminal, 2.5),
        step(),
        Says("done"),
    )
    before = spec.read_text()
    assert terminal.say("/flagstone:run one")["is_error"] is False
    assert "edit only in:" in last_words(api, 1)
    assert "Experiment one goes on" in last_words(api, 2) and "Experiment one goes on" in last_words(api, 9)
    assert "the person does not allow that" in last_words(api, 3), "to end the loop takes a person's yes"
    assert "only these files may be edited" in last_words(api, 5) and spec.read_text() == before
    assert "verdict:" not in last_words(api, 7), "the shell has ended the command"
    assert "verdict: advance" in last_words(api, 8) and "should_terminate: true" in last_words(api, 11)
    assert len(api.asked) == 12, "at the end of the experiment nothing holds it"
    assert ledger(terminal) == [("r0001", "ok", ""), ("r0002", "ok", ""), ("r0003", "ok", "max_runs(3)")]


def test_another_session_in_the_same_project_is_not_touched(terminal: Terminal, api: MessagesApi) -> None:
    flagstone(terminal, "experiment", "drive", "one", "--session", "somebody-else")
    other = terminal.project / "notes.md"
    api.plays(use("Write", file_path=str(other), content="hello"), drive(terminal), Says("then not"))
    assert terminal.say("/flagstone:run one")["is_error"] is False
    assert other.read_text() == "hello"
    assert "session somebody-else drives one" in last_words(api, 2) and len(api.asked) == 3


def test_ctrl_c_ends_the_session_at_once_and_after_a_resume_the_loop_goes_on(
    terminal: Terminal, api: MessagesApi
) -> None:
    terminal.flags = ("--permission-mode", "default")  # whatever needs a person's yes is refused
    api.plays(drive(terminal), read(terminal), edit(terminal, 2.0), step(), Says("interrupted?"))
    running = (experiment(terminal) / "runs" / "r0002" / "run.log").exists
    assert terminal.say("/flagstone:run one", interrupt_when=running).get("result") != "interrupted?"
    (terminal.project / "go").touch()
    wait = use("Bash", command="flagstone experiment wait one --wait 540", timeout=600_000)
    api.plays(wait, Says("enough?"), read(terminal), edit(terminal, 2.5), step(), Says("done"))
    assert terminal.say("please go on")["result"] == "done"
    assert "experiment: one, driven by this session" in terminal.heard
    assert "Experiment one goes on" in last_words(api, 2)
    assert [row[:2] for row in ledger(terminal)] == [("r0001", "ok"), ("r0002", "ok"), ("r0003", "ok")]


def test_after_a_stop_by_a_person_the_session_may_end(terminal: Terminal, api: MessagesApi) -> None:
    api.plays(
        drive(terminal),
        then(lambda: flagstone(terminal, "experiment", "stop", "one"), read(terminal)),
        Says("stopped"),
    )
    assert terminal.say("/flagstone:run one")["result"] == "stopped"
    assert len(api.asked) == 3


@pytest.mark.parametrize("script", ["exit 1", "echo rubbish", "sleep 300"], ids=["fails", "prints rubbish", "hangs"])
def test_a_hook_that_does_not_work_holds_nobody_up(terminal: Terminal, api: MessagesApi, script: str) -> None:
    (terminal.plugin / "hooks" / "hook.sh").write_text(f"{script}\n")
    hooks = terminal.plugin / "hooks" / "hooks.json"
    text = hooks.read_text()
    for limit in ("30", "60"):
        text = text.replace(f'"timeout": {limit}', '"timeout": 1')
    hooks.write_text(text)
    notes = terminal.project / "notes.md"
    api.plays(drive(terminal), use("Write", file_path=str(notes), content="hello"), Says("done"))
    assert terminal.say("/flagstone:run one")["result"] == "done"
    assert notes.read_text() == "hello" and len(api.asked) == 3


def test_only_a_person_approves_a_run(terminal: Terminal, api: MessagesApi) -> None:
    run = terminal.project / "runs" / "attn"
    (run / "approved").mkdir(parents=True)
    (run / "run.yaml").touch()
    flag = run / "approved" / "03.flag"
    api.plays(
        use("Bash", command=f"touch {flag}"),
        use("Bash", command="flagstone approve 03"),
        use("Write", file_path=str(flag), content=""),
        Says("not me, then"),
    )
    result = terminal.say("open the gate")
    assert not flag.exists() and len(api.asked) == 4
    assert "Only a person approves" in last_words(api, 3)
    assert len(result["permission_denials"]) >= 2


def test_a_chain_goes_on_with_the_next_experiment_without_a_question(terminal: Terminal, api: MessagesApi) -> None:
    spec = experiment(terminal) / "experiment.yaml"
    spec.write_text(spec.read_text().replace("max_runs: 3", "max_runs: 2"))
    of_child = use("Bash", command='flagstone experiment step two --note "as it is" --wait 540', timeout=600_000)
    api.plays(
        use("Bash", command="flagstone experiment drive one --chain 1"),
        read(terminal),
        edit(terminal, 2.5),
        step(),
        Says("all done"),
        use("Bash", command='flagstone experiment chain one two --rationale "X moved it; there is more to gain"'),
        use("Bash", command="flagstone experiment drive two"),
        of_child,
        Says("all done"),
        of_child,
        Says("done"),
    )
    assert terminal.say("/flagstone:run one, and up to one more after it")["result"] == "done"
    assert "flagstone experiment chain one NEXT --rationale WHY" in last_words(api, 5)
    assert "next: flagstone experiment drive two" in last_words(api, 6)
    assert "Experiment two goes on" in last_words(api, 9) and len(api.asked) == 11
    assert terminal.asked == []
