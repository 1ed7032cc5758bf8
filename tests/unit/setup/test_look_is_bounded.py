"""What a look may cost and touch: nothing of a project runs, no large file is opened, and none twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from flagstone.setup import look_at, project_tree as tree_module

TRAIN = """
import argparse
from model import Net

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    loss = Net(parser.parse_args().lr)
    print(f"val_loss: {loss}")
"""
# says what is opened, compiled for running, imported or started while a project is looked at
WATCH = """
import json, os, sys
root, seen = sys.argv[1], []
from flagstone.setup import look_at, project_tree as tree_module
def watch(event, args):
    if event == "open" and isinstance(args[0], str) and os.path.realpath(args[0]).startswith(root):
        seen.append(["open", os.path.realpath(args[0])])
    elif event in ("exec", "import") and root in str(args):
        seen.append([event, str(args)])
    elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system") and args[0]:
        seen.append(["start", str(args[0])])
sys.addaudithook(watch)
sys.path.insert(0, root)
os.chdir(root)
look_at(__import__("pathlib").Path(root))
print(json.dumps(seen))
"""
TRAP = "from pathlib import Path\nPath('{marker}').write_text('ran')\nraise SystemExit('ran')\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project among files that are traps, broken, or too large."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "train.py").write_text(TRAIN)
    (root / "model.py").write_text("class Net:\n    pass\n")
    (root / "pyproject.toml").write_text('[project]\nname = "fit"\nversion = "1"\nrequires-python = ">=3.10"\n')
    (root / "requirements.txt").write_text("numpy\n")
    (root / "README.md").write_text("```\npython train.py --lr 0.2\n```\n")
    for name in ("setup.py", "conftest.py", "sitecustomize.py", "usercustomize.py", "yaml.py", "json.py"):
        (root / name).write_text(TRAP.format(marker=tmp_path / "ran"))
    (root / "Makefile").write_text(f"X := $(shell touch {tmp_path}/ran)\ntrain:\n\tpython train.py\n")
    (root / ".envrc").write_text(f"touch {tmp_path}/ran\n")
    return root


def test_no_code_of_the_project_runs(project: Path, tmp_path: Path) -> None:
    seen = events(project)
    assert not (tmp_path / "ran").exists()
    assert [event for event in seen if event[0] in ("exec", "import")] == []
    assert {Path(name).name for kind, name in seen if kind == "start"} <= {"git"}


def test_no_file_is_opened_twice_and_none_above_1_mb(project: Path) -> None:
    for name in ("weights.pt", "generated.py", "big.json", "big.csv", "big.yaml"):
        with open(project / name, "wb") as stream:
            stream.truncate(50_000_000)
    (project / "wandb/run-1/logs").mkdir(parents=True)
    (project / "wandb/run-1/logs/debug.log").write_text("loss: 1\n")
    (project / "wandb/run-1/files").mkdir()
    (project / "wandb/run-1/files/wandb-summary.json").write_text('{"val_loss": 0.5, "_runtime": 60}')
    (project / "pyproject.toml").write_text('[project]\nname = "p"\nrequires-python = ">=3.10"\n')
    (project / ".venv").mkdir()
    (project / ".venv/pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.11.2\n")
    (project / "runs").mkdir()
    with open(project / "runs/events.out.tfevents.1", "wb") as stream:
        stream.truncate(50_000_000)  # of these, and only these, both ends are read
    opened = Counter(name for kind, name in events(project) if kind == "open" and Path(name).is_file())
    assert [name for name, times in opened.items() if times > 1] == []
    large = {os.path.relpath(name, project) for name in opened if os.path.getsize(name) > 1_000_000}
    assert large == {"runs/events.out.tfevents.1"}
    assert [name for name in opened if "/logs/" in name] == []


def events(root: Path) -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(root)], check=True, capture_output=True, text=True, timeout=300
    )
    found: list[list[str]] = json.loads(done.stdout)
    return found


def test_what_cannot_be_read_is_listed_and_the_rest_is_found(project: Path) -> None:
    (project / "broken_train.py").write_text("import argparse\ndef train(:\n    loss.backward()\n")
    (project / "latin_train.py").write_bytes("# Stärke der loss\nimport argparse\n".encode("latin-1"))
    (project / "train_deep.py").write_text(f"loss = {'(' * 5000}1{')' * 5000}\nif __name__ == '__main__': pass\n")
    (project / "all_results.json").write_text("[" * 100_000 + "]" * 100_000)
    (project / "configs").mkdir()
    (project / "configs/deep.yaml").write_text("a: " + "[" * 50_000)
    (project / "generated_train.py").write_bytes(b"x = 1\n" * 400_000)
    os.mkfifo(project / "pipe_train.py")
    (project / "train_\x1b[31m.py").write_text(TRAIN)
    os.symlink(project, project / "loop")
    os.symlink("train_b.py", project / "train_a.py")
    os.symlink("train_a.py", project / "train_b.py")
    look = look_at(project)
    assert look.findings["command"].value == ["python", "train.py", "--lr", "0.2"]
    listed = {line.partition(":")[0] for line in look.skipped}
    assert {"broken_train.py", "latin_train.py", "train_deep.py", "generated_train.py", "train_a.py"} <= listed
    assert "pipe_train.py: not a regular file" in look.skipped
    assert "train_\\x1b[31m.py: its name cannot be printed" in look.skipped
    assert "generated_train.py: larger than 1 MB" in look.skipped


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_listed(project: Path) -> None:
    (project / "secret").mkdir(mode=0)
    assert any(line.startswith("secret") for line in look_at(project).skipped)


def test_a_look_changes_nothing(project: Path) -> None:
    before = {path: os.lstat(path) for path in project.rglob("*")}
    look_at(project)
    assert {path: os.lstat(path).st_mtime_ns for path in project.rglob("*")} == {
        path: state.st_mtime_ns for path, state in before.items()
    }


def test_a_folder_with_very_many_samples_does_not_hide_the_code(tmp_path: Path) -> None:
    (tmp_path / "a/images").mkdir(parents=True)
    for number in range(10_050):
        (tmp_path / f"a/images/{number:05}.txt").touch()
    (tmp_path / "z").mkdir()
    (tmp_path / "z/train.py").write_text(TRAIN)
    look = look_at(tmp_path)
    assert look.program.entry == "z/train.py"
    assert "a/images/: more files than are looked at" in look.skipped


def test_code_that_is_nested_very_deeply_does_not_end_the_look(project: Path) -> None:
    sums = "+".join(["a"] * 2500)
    text = (project / "train.py").read_text()
    lines = [f"b = {sums}", f"if exists({sums} + checkpoint):", f"    load({sums})", f"exec({sums})", f"print({sums})"]
    extra = "\n".join(lines)
    (project / "train.py").write_text(f"{text}\n{extra}")
    look = look_at(project)
    assert "train.py: not Python: RecursionError" in look.skipped
    assert look.findings["command"].value == ["python", "train.py", "--lr", "0.2"]


def test_of_a_document_that_is_hard_to_read_only_the_beginning_is_read(project: Path) -> None:
    (project / "README.md").write_text("![" * 400_000 + "\n\n```\npython train.py --lr 5\n```\n")
    (project / "run.sh").write_text("echo \\\n" * 100_000)
    look = look_at(project)
    assert look.findings["command"].evidence == ("Makefile:3",)
    assert any(line.startswith("README.md: only its first") for line in look.skipped)


def test_of_very_many_folders_those_near_the_root_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree_module, "MOST_FILES", 20)
    for number in range(50):
        (tmp_path / f"data/{number:02}").mkdir(parents=True)
        (tmp_path / f"data/{number:02}/x.txt").touch()
    (tmp_path / "train.py").write_text(TRAIN)
    look = look_at(tmp_path)
    assert look.program.entry == "train.py"
    assert len(look.skipped) == 1
