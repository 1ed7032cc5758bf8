"""`flagstone experiment check`: what is edited is what is measured, shown before anything is counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from workbench import run_command

from flagstone.processes.confinement import landlock, machine

FLAGSTONE = Path(sys.executable).parent / "flagstone"
TRAIN = '"""Trains."""\nfrom __future__ import annotations\nimport model\nprint("val_loss:", model.LR)\n'
CONFIGURED = "import json\nprint('val_loss:', json.load(open('conf.json'))['lr'])\n"
SEEDED = "import os, random\nrandom.seed(os.environ['SEED'])\nprint('val_loss:', random.random())\n"


def flagstone(project: Path, *words: str, code: int = 0) -> str:
    """What a command prints."""
    done = run_command("flagstone", "experiment", *words, cwd=project)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 or words[0] == "check" else done.stdout + done.stderr


def make(project: Path, files: dict[str, str], *options: str, command: str = "train.py") -> str:
    for name, text in files.items():
        (project / name).write_text(text)
    words = ("--metric", "val_loss", "--proposer", "none", "--noise", "off", *options)
    return flagstone(project, "new", "one", *words, "--", sys.executable, command)


def rows(project: Path, *words: str, code: int = 0) -> dict[str, dict[str, Any]]:
    found = json.loads(flagstone(project, "check", "one", "--json", *words, code=code))
    return {row["name"]: row for row in found["rows"]}


def marks(found: dict[str, dict[str, Any]]) -> str:
    return "".join(row["mark"] for row in found.values())


def test_a_sound_experiment_is_checked_and_nothing_is_counted(tmp_path: Path) -> None:
    said = make(
        tmp_path, {"train.py": TRAIN, "model.py": "LR = 0.5\n"}, "--mutable", "train.py", "--mutable", "model.py"
    )
    assert said.splitlines()[-1] == "next: flagstone experiment check one"
    assert "metric: val_loss, less is better" in said
    assert "check: not checked" in flagstone(tmp_path, "status", "one")
    lines = flagstone(tmp_path, "check", "one", "--expect", "0.5").splitlines()
    assert [line[:3] for line in lines] == ["✓ 1", "✓ 2", "✓ 3", "– 4", "✓ 5", "– 6", "✓ 7", "✓ 8", "nex"]
    assert lines[-1] == "next: flagstone experiment step one"
    home = tmp_path / ".flagstone" / "experiments" / "one"
    assert not (home / "ledger.jsonl").exists() and not (home / "runs").exists() and not (home / "best").exists()
    assert (tmp_path / "train.py").read_text() == TRAIN
    assert "check: checked" in flagstone(tmp_path, "status", "one")
    spec = home / "experiment.yaml"
    spec.write_text(spec.read_text().replace("val_loss", "loss"))
    assert "check: check is stale" in flagstone(tmp_path, "status", "one")


def test_a_file_that_the_command_does_not_use_is_refuted_with_a_cure(tmp_path: Path) -> None:
    files = {"train.py": "print('val_loss: 1')\n", "model.py": "LR = 1\n"}
    make(tmp_path, files, "--mutable", "train.py", "--mutable", "model.py")
    lines = flagstone(tmp_path, "check", "one", code=2).splitlines()
    assert "✗ 2 reach" in lines[1] and "model.py" in lines[1]
    assert lines[-1].startswith("next: correct subject.mutable")
    said = flagstone(tmp_path, "run", "one", "--runs", "1", code=2)
    assert "does not use model.py" in said and "--no-check" in said
    home = tmp_path / ".flagstone" / "experiments" / "one"
    assert not (home / "ledger.jsonl").exists()
    flagstone(tmp_path, "run", "one", "--runs", "1", "--no-check")
    assert len((home / "ledger.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize(("used", "mark", "code"), [(True, "✓", 0), (False, "✗", 2)])
def test_a_file_of_settings_is_used_if_the_run_ends_otherwise_without_it(
    tmp_path: Path, used: bool, mark: str, code: int
) -> None:
    train = CONFIGURED if used else "print('val_loss: 1')\n"
    files = {"train.py": train, "conf.json": '{"lr": 1}'}
    make(tmp_path, files, "--mutable", "conf.json", "--entry", "train.py")
    assert rows(tmp_path, code=code)["reach"]["mark"] == mark


def test_a_metric_that_is_not_read_names_what_was_seen(tmp_path: Path) -> None:
    make(tmp_path, {"train.py": "print('val_los: 1')\n"}, "--mutable", "train.py")
    found = rows(tmp_path, code=2)
    assert found["number"]["mark"] == "✗" and "val_los" in found["number"]["evidence"]


def test_a_run_that_crashes_shows_its_exception(tmp_path: Path) -> None:
    make(tmp_path, {"train.py": "import no_such_module\n"}, "--mutable", "train.py")
    found = rows(tmp_path, code=3)
    assert "ModuleNotFoundError: No module named 'no_such_module'" in found["command"]["evidence"]
    assert "ModuleNotFoundError" in flagstone(tmp_path, "run", "one", code=3)


def test_a_run_that_takes_longer_is_open_and_proves_what_it_showed(tmp_path: Path) -> None:
    make(tmp_path, {"train.py": "import time\ntime.sleep(60)\nprint('val_loss: 1')\n"}, "--mutable", "train.py")
    found = rows(tmp_path, "--seconds", "1")
    assert marks(found) == "✓✓––––✓–"
    assert "--seconds 3600" in found["limit"]["evidence"]


def test_the_seed_decides_and_a_checkpoint_is_found(tmp_path: Path) -> None:
    saving = SEEDED + "open('model.npz', 'w').write('weights')\n"
    make(tmp_path, {"train.py": saving}, "--mutable", "train.py", "--checkpoint", "*.npz")
    found = rows(tmp_path)
    assert (found["seed"]["mark"], found["checkpoint"]["mark"]) == ("✓", "✓")
    assert "model.npz, 7 bytes" in found["checkpoint"]["evidence"]


def test_the_projects_own_command_gives_the_same_number(tmp_path: Path) -> None:
    make(
        tmp_path, {"train.py": "print('val_loss: 1')\n", "other.py": "print('val_loss: 2')\n"}, "--mutable", "train.py"
    )
    assert rows(tmp_path, "--own", "--", sys.executable, "train.py")["same"]["mark"] == "✓"
    assert rows(tmp_path, "--own", "--", sys.executable, "other.py", code=2)["same"]["mark"] == "✗"
    assert rows(tmp_path, "--expect", "1.1", code=2)["same"]["mark"] == "✗"


def test_a_number_that_varies_from_run_to_run_is_not_called_another_one(tmp_path: Path) -> None:
    counter = tmp_path / "runs"  # outside the project, and no sandbox: each run gives the next number, none by chance
    project = tmp_path / "project"
    project.mkdir()
    next_number = (
        f"counter = open({os.fspath(counter)!r}, 'a+')\ncounter.write('x'); counter.seek(0)\n"
        "print('val_loss:', [5.6, 5.3, 5.4, 5.9][(len(counter.read()) - 1) % 4])\n"
    )
    files = {"train.py": next_number, "other.py": "print('val_loss: 500')\n"}
    make(project, files, "--mutable", "train.py", "--sandbox", "off")
    same = rows(project, "--own", "--", sys.executable, "train.py")["same"]
    assert same["mark"] == "–" and "the project 5.9; runs vary from 5.3 to 5.6" in same["evidence"]
    assert rows(project, "--own", "--", sys.executable, "other.py", code=2)["same"]["mark"] == "✗"


def test_a_run_that_changes_the_project_is_not_quiet(tmp_path: Path) -> None:
    writing = f"open({os.fspath(tmp_path / 'log.txt')!r}, 'w').write('x')\nprint('val_loss: 1')\n"
    make(tmp_path, {"train.py": writing}, "--mutable", "train.py", "--sandbox", "off")
    found = rows(tmp_path, code=2)
    assert found["quiet"]["mark"] == "✗" and "log.txt" in found["quiet"]["evidence"]


def test_a_folder_that_the_program_writes_to_is_named_with_the_option_that_helps(tmp_path: Path) -> None:
    if machine.bubblewrap_fault() and landlock.abi() < 3:
        pytest.skip("needs a sandbox")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "weights.npz").write_text("of an earlier run")
    writing = "open('results/weights.npz', 'w').write('x')\nprint('val_loss: 1')\n"
    make(tmp_path, {"train.py": writing}, "--mutable", "train.py")
    said = flagstone(tmp_path, "check", "one", code=3)
    assert said.splitlines()[-1] == "next: set subject.scratch: [results], or give new --scratch results"
    words = ("--scratch", "results", "--metric", "val_loss", "--mutable", "train.py", "--proposer", "none")
    flagstone(tmp_path, "new", "two", *words, "--", sys.executable, "train.py")
    flagstone(tmp_path, "check", "two")
    assert (tmp_path / "results" / "weights.npz").read_text() == "of an earlier run"


def test_a_module_that_only_the_projects_environment_has_is_told_with_its_python(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True, timeout=300)
    (packages,) = (tmp_path / ".venv").glob("lib/python*/site-packages")
    (packages / "only_here.py").write_text("")
    make(tmp_path, {"train.py": "import only_here\nprint('val_loss: 1')\n"}, "--mutable", "train.py")
    said = flagstone(tmp_path, "check", "one", code=3)
    assert said.splitlines()[-1] == (
        "next: begin harness.argv in experiment.yaml with .venv/bin/python, the project's own environment"
    )
    spec = tmp_path / ".flagstone" / "experiments" / "one" / "experiment.yaml"
    spec.write_text(spec.read_text().replace(sys.executable, ".venv/bin/python"))
    assert rows(tmp_path)["command"]["mark"] == "✓"
