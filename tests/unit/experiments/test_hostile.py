"""Training code that cheats, and agents that do: what is believed, what is prevented, what is noticed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from laboratory import Edits, Laboratory, set_x, whole

from flagstone.agents.sandbox import strength
from flagstone.errors import FlagstoneError

EVALUATE = """import json, os
x = json.load(open(os.environ["AR_ARTIFACT"]))["x"]
print("val_loss:", (x - 3) ** 2)
"""
SAVING = """import json
X = 1.0
json.dump({"x": X}, open("model.json", "w"))
print("val_loss: 123")
"""
FORGED = SAVING.replace("1.0", "9.0") + 'import atexit\natexit.register(lambda: print("val_loss: 0.0001"))\n'

holds_files = pytest.mark.skipif(not strength().keeps_files, reason="this kernel keeps nobody from writing (Landlock)")


def test_with_an_evaluator_a_forged_line_at_exit_is_worth_nothing(laboratory: Laboratory) -> None:
    laboratory.files = {"train.py": SAVING, "evaluate.py": EVALUATE}
    laboratory.make(
        evaluate={"argv": [sys.executable, "evaluate.py"], "artifact": "model.json"},
        subject={"mutable": ["train.py"], "protected": ["evaluate.py"]},
    )
    laboratory.run(Edits({2: whole(FORGED), 3: whole(SAVING.replace("1.0", "2.0"))}), limit=3)
    assert [(each.verdict, each.value) for each in laboratory.entries()] == [
        ("advance", 4.0),
        ("revert", 36.0),
        ("advance", 1.0),
    ]


def test_the_evaluator_runs_beside_the_unedited_files(laboratory: Laboratory) -> None:
    evaluate = "import train_settings\nprint('val_loss:', train_settings.VALUE)\n"
    laboratory.files = {"train.py": SAVING, "train_settings.py": "VALUE = 5\n", "evaluate.py": evaluate}
    laboratory.make(
        evaluate={"argv": [sys.executable, "evaluate.py"], "artifact": "model.json"},
        subject={"mutable": ["train.py", "train_settings.py"], "protected": ["evaluate.py"], "entry": "train.py"},
    )

    def cheat(draft: Path) -> str:
        (draft / "train_settings.py").write_text("VALUE = 0\n")
        return "cheat"

    laboratory.run(Edits({2: cheat}), limit=2)
    assert [each.value for each in laboratory.entries()] == [5.0, 5.0]


TARGETS = {
    "ledger": "{home}/ledger.jsonl",
    "best": "{home}/best/best.json",
    "spec": "{home}/experiment.yaml",
    "start": "{home}/start.json",
    "candidates": "{home}/candidates.git/HEAD",
    "another run": "{home}/runs/r0001/result.json",
    "measurement": "{home}/runs/r0002/measured-first.json",
    "evaluator": "{project}/prepare.py",
    "a new module": "{project}/numpy.py",
    "the project's own file": "{project}/train.py",
    "an approval": "{run}/approved/05.flag",
    "a seal": "{run}/approved/seals.jsonl",
}


@holds_files
@pytest.mark.parametrize("name", TARGETS)
def test_training_code_cannot_write_outside_its_own_folder(laboratory: Laboratory, name: str) -> None:
    run = laboratory.folder / "run"
    (run / "approved").mkdir(parents=True)
    (run / "approved" / "seals.jsonl").write_text("")
    laboratory.make(sandbox="auto")
    places = {"home": laboratory.home.root, "project": laboratory.project, "run": run}
    target = Path(TARGETS[name].format(**places))
    source = (
        f"import os\ntry:\n    os.makedirs({str(target.parent)!r}, exist_ok=True)\n"
        f"    open({str(target)!r}, 'a').write('forged')\n    print('wrote: 1')\nexcept OSError as error:\n"
        "    print('refused', error)\nprint('val_loss: 0.1')\n"
    )
    laboratory.run(Edits({2: whole(source)}), limit=2)
    log = laboratory.home.run("r0002").log.read_text()
    assert "refused" in log and "wrote" not in log
    assert not target.exists() or "forged" not in target.read_text()


@holds_files
def test_a_run_finds_nothing_that_another_run_left(laboratory: Laboratory) -> None:
    leaving = "import os, tempfile\nfor name in ('left.txt', os.path.join(tempfile.gettempdir(), 'left.txt')):\n"
    first = leaving + "    open(name, 'w').write('x')\nprint('val_loss: 9')\n"
    second = leaving + "    assert not os.path.exists(name), name\nprint('val_loss: 0.1')\n"
    laboratory.make(sandbox="auto")
    laboratory.run(Edits({2: whole(first), 3: whole(second)}), limit=3)
    assert laboratory.words()[1:] == [("r0002", "ok", "revert"), ("r0003", "ok", "advance")]


@pytest.mark.parametrize("sandbox", ["auto", "off"])
def test_a_daemon_that_leaves_its_session_does_not_outlive_the_run(laboratory: Laboratory, sandbox: str) -> None:
    source = (
        "import os, sys, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        "        for handle in (0, 1, 2):\n            os.close(handle)\n        time.sleep(600)\n    os._exit(0)\n"
        "print('val_loss: 0.1')\n"
    )
    laboratory.make(sandbox=sandbox)
    laboratory.run(Edits({2: whole(source), 3: set_x(2.0)}), limit=3)
    assert laboratory.words()[1] == ("r0002", "ok", "advance")
    own = str(laboratory.home.run("r0002").tree)
    assert [pid for pid in os.listdir("/proc") if pid.isdigit() and cwd_of(pid).startswith(own)] == []


def cwd_of(pid: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def test_a_log_of_any_size_is_kept_in_bounds_and_still_read(laboratory: Laboratory) -> None:
    source = "import sys\nfor _ in range(260):\n    sys.stdout.write('x' * 999_999 + '\\n')\nprint('val_loss: 0.5')\n"
    laboratory.make()
    laboratory.run(Edits({2: whole(source)}), limit=2)
    assert laboratory.words()[-1] == ("r0002", "ok", "advance")
    assert laboratory.home.run("r0002").log.stat().st_size < 120_000_000


def test_processes_that_could_not_be_ended_keep_the_next_run_from_starting(laboratory: Laboratory) -> None:
    from flagstone.processes.tree import entry_of
    from flagstone.records import write_record

    laboratory.make()
    laboratory.run(Edits({}), limit=1)
    own = entry_of(os.getpid())
    assert own is not None
    row = {"pid": os.getpid(), "started_ticks": own.started_ticks}
    write_record(laboratory.home.unclean, {"run": "r0001", "processes": [row]})
    with pytest.raises(FlagstoneError, match=f"still alive: {os.getpid()}"):
        laboratory.run(Edits({2: set_x(2.0)}), limit=1)
    write_record(laboratory.home.unclean, {"run": "r0001", "processes": [{**row, "started_ticks": 1}]})
    laboratory.run(Edits({2: set_x(2.0)}), limit=1)
    assert not laboratory.home.unclean.exists()


def test_agents_keys_do_not_reach_what_an_agent_has_written(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-not-for-you")
    laboratory.make()
    source = "import os\nassert 'ANTHROPIC_API_KEY' not in os.environ\nprint('val_loss: 0.1')\n"
    laboratory.run(Edits({2: whole(source)}), limit=2)
    assert laboratory.words()[-1] == ("r0002", "ok", "advance")
