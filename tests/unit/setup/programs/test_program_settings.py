"""Seed, resumption and output folders of a program, wherever it takes them from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flagstone.setup import look_at
from flagstone.setup.project_finding import ProjectFinding

PARSER = """
import argparse, os
import torch
parser = argparse.ArgumentParser()
{options}
if __name__ == "__main__":
    args = parser.parse_args()
    {body}
    loss = 1
"""


def found(root: Path, name: str, options: str = "", body: str = "pass") -> ProjectFinding:
    (root / "train.py").write_text(PARSER.format(options=options, body=body))
    return look_at(root).findings[name]


def option(words: str) -> str:
    return f"parser.add_argument({words})"


@pytest.mark.parametrize(
    ("options", "body", "value"),
    [
        (option('"--seed", type=int, default=1'), "torch.manual_seed(args.seed)", {"argument": "seed"}),
        (option('"--random-state", type=int'), "pass", {"argument": "random-state"}),
        ("", 'torch.manual_seed(int(os.environ.get("SEED", 0)))', {"variable": "SEED"}),
        ("", "torch.manual_seed(42)", {"constant": "train.py:8"}),
        ("", "torch.manual_seed(1337 + int(args.rank))", {"constant": "train.py:8"}),
        ('config = {"lr": 1, "seed": 7}', 'torch.manual_seed(config["seed"])', {"constant": "train.py:5"}),
        ("", "split(data, random_state=3)", {"constant": "train.py:8"}),
        ("", "pass", None),
    ],
)
def test_the_seed_is_found_and_a_fixed_one_is_told(
    tmp_path: Path, options: str, body: str, value: dict[str, Any] | None
) -> None:
    seed = found(tmp_path, "seed", options, body)
    assert seed.value == value
    assert ("will not vary" in seed.note) == (value is None or "constant" in value)


@pytest.mark.parametrize(
    ("words", "value", "confidence"),
    [
        ('"--resume", type=str, default=""', {"flag": "--resume", "is_path": True}, "certain"),
        ('"--resume", action="store_true"', {"flag": "--resume", "is_path": False}, "certain"),
        ('"--resume-from-step", type=int, default=-1', {"flag": "--resume-from-step", "is_path": False}, "likely"),
        ('"--ckpt_path", default=None', {"flag": "--ckpt_path", "is_path": True}, "certain"),
        ('"--load", type=str', {"flag": "--load", "is_path": True}, "likely"),
        ('"--lr", type=float', None, "none"),
        ('"checkpoint"', None, "none"),
    ],
)
def test_paths_and_switches_that_resume_are_told_apart(
    tmp_path: Path, words: str, value: dict[str, Any] | None, confidence: str
) -> None:
    resume = found(tmp_path, "resume", option(words))
    assert (resume.value, resume.confidence) == (value, confidence)


def test_of_two_ways_to_resume_the_other_is_shown(tmp_path: Path) -> None:
    resume = found(tmp_path, "resume", "\n".join([option('"--load", type=str'), option('"--resume", type=str')]))
    assert resume.value["flag"] == "--resume"
    assert resume.lost[0].value["flag"] == "--load"


def test_a_checkpoint_that_is_taken_up_unasked_is_told(tmp_path: Path) -> None:
    body = 'snapshot = "last.pt"\n    if os.path.exists(snapshot):\n        torch.load(snapshot)'
    assert "last.pt" in found(tmp_path, "resume", "", body).note


def test_a_checkpoint_that_a_person_names_is_not_taken_up_unasked(tmp_path: Path) -> None:
    body = "if os.path.isfile(args.resume):\n        torch.load(args.resume)"
    assert found(tmp_path, "resume", option('"--resume", default=""'), body).note == ""


@pytest.mark.parametrize(
    ("options", "body", "row"),
    [
        (option('"--output-dir", default="/data/runs/x"'), "pass", ("argument", "output-dir", "{run_dir}/x")),
        (option('"--log-dir", default="~/.cache/logs"'), "pass", ("argument", "log-dir", "{run_dir}/logs")),
        ("", 'os.environ["FIT_BASE_DIR"]', ("variable", "FIT_BASE_DIR", "{run_dir}/fit")),
        ("", 'os.environ.get("FIT_HOME", "~/.fit")', ("variable", "FIT_HOME", "{run_dir}/fit")),
        ("", 'here = os.path.join(os.path.expanduser("~"), ".cache", "fit")', ("constant", "train.py:8", None)),
        ("", 'home = os.path.expanduser("~")\n    save(os.path.join(home, "x"))', ("constant", "train.py:9", None)),
    ],
)
def test_what_leads_out_of_the_project_is_told_with_what_moves_it(
    tmp_path: Path, options: str, body: str, row: tuple[str, str, str | None]
) -> None:
    (value,) = found(tmp_path, "outputs", options, body).value
    assert (value[row[0]], value["to"]) == row[1:]


@pytest.mark.parametrize(
    ("options", "body"),
    [
        (option('"--output-dir", default="out"'), 'open("data/x.txt")'),
        (option('"--data-dir", default="/data/images"'), 'os.environ["HF_HOME"]; os.environ["USE_CACHE"]'),
        ("", 'print("/ a line"); os.path.exists("/usr/bin/nvcc")'),
    ],
)
def test_what_stays_in_the_project_or_is_only_read_is_left_alone(tmp_path: Path, options: str, body: str) -> None:
    assert found(tmp_path, "outputs", options, body).value == []
