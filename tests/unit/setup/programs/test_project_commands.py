"""Which command of a project's documents trains, where it stands, and why the others were not taken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flagstone.setup import ProjectLook, look_at

TRAIN = """
import argparse
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    loss = parser.parse_args().lr
"""
FILES = {
    "train.py": TRAIN,
    "pkg/__init__.py": "",
    "pkg/train.py": TRAIN,
    "eval.py": TRAIN,
    "tests/test_train.py": TRAIN,
}


def look(root: Path, **files: str) -> ProjectLook:
    """A look at a project with these files besides those that train; a double underscore stands for a dot."""
    for name, text in {**FILES, **{name.replace("__", "."): text for name, text in files.items()}}.items():
        path = root / name.replace("|", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return look_at(root)


def fenced(*lines: str) -> str:
    return "\n".join(["# Project", "", "```bash", *lines, "```", ""])


@pytest.mark.parametrize(
    ("line", "words", "runner"),
    [
        ("python train.py", "python train.py", "python"),
        ("$ python3 -u train.py --lr 1 # slow", "python3 -u train.py --lr 1", "python"),
        ("python -m pkg.train --lr 1", "python -m pkg.train --lr 1", "python -m"),
        ("uv run train.py", "uv run train.py", "uv run"),
        ("uv run --extra gpu python train.py", "uv run --extra gpu python train.py", "uv run"),
        ("poetry run python train.py", "poetry run python train.py", "poetry run"),
        ("CUDA_VISIBLE_DEVICES=0 python train.py > log.txt 2>&1", "python train.py", "python"),
        ("nohup python train.py --lr 1 &", "python train.py --lr 1", "python"),
        ("pip install -e . && python train.py | tee log", "python train.py", "python"),
        ("torchrun --nproc_per_node 2 train.py", "torchrun --nproc_per_node 2 train.py", "torchrun"),
        (*("python -m torch.distributed.run --nproc_per_node=2 train.py --lr 1",) * 2, "torchrun"),
        (*("accelerate launch --config_file a.yaml train.py",) * 2, "accelerate launch"),
        (*("accelerate launch --multi_gpu -m pkg.train",) * 2, "accelerate launch"),
        ("deepspeed --num_gpus 2 train.py --lr 1", "deepspeed --num_gpus 2 train.py --lr 1", "deepspeed"),
        ("srun -n 1 python train.py", "srun -n 1 python train.py", "srun"),
        ("conda run -n env python train.py", "conda run -n env python train.py", "conda run"),
    ],
)
def test_a_command_keeps_its_own_words(tmp_path: Path, line: str, words: str, runner: str) -> None:
    found = look(tmp_path, README__md=fenced(line)).findings
    assert " ".join(found["command"].value) == words
    assert found["command"].evidence == ("README.md:4",)
    assert found["runner"].value == runner


def test_continuation_lines_are_one_command_at_its_first_line(tmp_path: Path) -> None:
    command = look(tmp_path, README__md=fenced("echo", "python train.py \\", "    --lr \\", "    0.5 \\")).findings[
        "command"
    ]
    assert command.value == ["python", "train.py", "--lr", "0.5"]
    assert command.evidence == ("README.md:5",)


def test_an_indented_block_and_a_folder_to_go_to_are_understood(tmp_path: Path) -> None:
    command = look(tmp_path, README__md="Text\n\n    $ cd pkg\n    $ python train.py --lr 2\n").findings["command"]
    assert command.value == ["python", "pkg/train.py", "--lr", "2"]
    assert "pkg" in command.note


def test_variables_before_a_command_become_its_environment(tmp_path: Path) -> None:
    assert look(tmp_path, README__md=fenced("A=1 B=x python train.py")).program.env == {"A": "1", "B": "x"}


@pytest.mark.parametrize(
    "line",
    [
        "torchrun --nnodes=2 --node_rank=0 --master_addr=10.0.0.1 train.py",
        "torchrun --nnodes 4 train.py",
        "accelerate launch --num_machines 2 train.py",
        "wandb login",
        "python eval.py",
        "python -m pytest tests/test_train.py",
        "python tests/test_train.py",
        "pip install train.py",
        "python missing.py",
    ],
)
def test_what_does_not_train_here_is_no_candidate(tmp_path: Path, line: str) -> None:
    command = look(tmp_path, README__md=fenced(line)).findings["command"]
    assert command.value == ["python", "train.py"]
    assert "No document" in command.note


@pytest.mark.parametrize(
    "words", ["--data <data>", "--data path/to/data", "--data $DATA", "[folder of images]", "--lr ..."]
)
def test_a_placeholder_makes_a_command_likely_at_most(tmp_path: Path, words: str) -> None:
    command = look(tmp_path, README__md=fenced(f"python train.py {words}")).findings["command"]
    assert command.confidence != "certain"
    assert "placeholder" in command.note


def test_a_whole_command_beats_one_with_a_placeholder(tmp_path: Path) -> None:
    lines = ("python train.py --data /path/to/data", "python train.py --dry-run", "python train.py --lr 1")
    command = look(tmp_path, README__md=fenced(*lines)).findings["command"]
    assert command.value == ["python", "train.py", "--lr", "1"]
    assert sorted(lost.why for lost in command.lost) == [
        "it has a placeholder (README.md:4)",
        "it only tries whether the program works (README.md:5)",
    ]


SOURCES = {
    "CLAUDE__md": fenced("python train.py --lr 1"),
    "AGENTS__md": fenced("python train.py --lr 2"),
    "README__md": fenced("python train.py --lr 3"),
    "justfile": "lr := '4'\n\ntrain *args:\n    python train.py --lr {{lr}} {{args}}\n",
    "Makefile": "LR ?= 5\nPYTHON = python\ntrain:\n\t@$(PYTHON) train.py --lr $(LR)\n",
    "scripts|train__sh": '#!/bin/bash\nLR=${LR:-6}\nexec python train.py --lr $LR "$@"\n',
    "__vscode|launch__json": json.dumps(
        {"configurations": [{"program": "${workspaceFolder}/train.py", "args": ["--lr", "7"]}]}, indent=1
    ),
    "pyproject__toml": '[project]\nname = "pkg"\n[project.scripts]\nfit = "pkg.train:main"\n',
}


@pytest.mark.parametrize("number", range(len(SOURCES)))
def test_documents_come_in_the_order_in_which_people_write_them(tmp_path: Path, number: int) -> None:
    names = list(SOURCES)[number:]
    command = look(tmp_path, **{name: SOURCES[name] for name in names}).findings["command"]
    if names[0] == "pyproject__toml":
        assert (command.value, command.evidence) == (["fit"], ("pyproject.toml:4",))
    elif names[0] != "justfile":
        assert command.value == ["python", "train.py", "--lr", str(number + 1)]


def test_two_entries_that_look_alike_are_asked_about(tmp_path: Path) -> None:
    found = look(
        tmp_path, train_b__py=TRAIN, train_a__py=TRAIN, README__md=fenced("python train_a.py", "python train_b.py")
    )
    assert (found.findings["command"].confidence, found.findings["entry"].confidence) == ("unclear", "unclear")
    assert found.findings["entry"].lost[0].value["file"] == "train_b.py"


def test_without_a_document_the_best_ranked_entry_is_started(tmp_path: Path) -> None:
    for name in ("alpha.py", "beta.py"):
        (tmp_path / name).write_text(TRAIN)
    found = look_at(tmp_path).findings
    entry = found["entry"]
    assert (entry.value["file"], entry.confidence, found["command"].confidence) == ("alpha.py", "unclear", "unclear")
    assert entry.lost[0].why == "it looks as much like a training"


def test_where_nothing_trains_nothing_is_found(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("nothing\n")
    found = look_at(tmp_path).findings
    assert [(found[name].value, found[name].confidence) for name in ("command", "entry")] == [(None, "none")] * 2


def test_text_of_a_project_does_not_steer_the_terminal(tmp_path: Path) -> None:
    found = look(tmp_path, README__md=fenced("python train.py --name \x1b[31mred\x1b[0m\u202e"))
    assert not any(
        ord(letter) < 32 or letter == "\u202e" for word in found.findings["command"].value for letter in word
    )


@pytest.mark.parametrize(
    ("installed", "tool", "confidence"),
    [("nbconvert", "jupyter", "likely"), ("papermill", "papermill", "likely"), ("numpy", "jupyter", "unclear")],
)
def test_notebooks_are_run_by_what_is_installed(tmp_path: Path, installed: str, tool: str, confidence: str) -> None:
    cell = {"cell_type": "code", "source": ["optimizer.step()"], "outputs": []}
    (tmp_path / "train.ipynb").write_text(json.dumps({"cells": [cell]}))
    package = tmp_path / ".venv/lib/python3.11/site-packages" / installed
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (tmp_path / ".venv/bin").mkdir()
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    (tmp_path / ".venv/pyvenv.cfg").write_text(f"home = {Path(sys.executable).resolve().parent}\nversion = 3.11.7\n")
    found = look_at(tmp_path)
    command = found.findings["command"]
    assert (command.value[0], command.confidence) == (tool, confidence)
    assert found.program.entry == "train.ipynb"


def test_of_equal_entries_the_newest_commit_comes_first(tmp_path: Path) -> None:
    for name in ("beta.py", "alpha.py"):
        (tmp_path / name).write_text(TRAIN)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    for name in ("alpha.py", "beta.py"):
        subprocess.run([*git, "add", name], check=True)
        subprocess.run([*git, "commit", "-q", "-m", name], check=True)
    assert look_at(tmp_path).findings["entry"].value["file"] == "beta.py"
