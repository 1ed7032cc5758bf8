"""Cures are offered in the order of how little they touch; only what a person chose is done, and nothing is deleted."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from made_environments import make_environment, report

from flagstone.errors import FlagstoneError
from flagstone.setup.environments import EnvironmentCure, apply_cure


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    """Two work trees of one repository. The first has an environment, the second has none."""
    first, second = tmp_path / "first", tmp_path / "second tree"
    first.mkdir()
    (first / "train.py").write_text("import torch\n")
    (first / "requirements.txt").write_text("torch\n")
    (first / ".gitignore").write_text(".venv\n")
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first"],
        ["worktree", "add", "-q", "-b", "other", str(second)],
    ):
        subprocess.run(["git", *words], cwd=first, check=True, capture_output=True)
    make_environment(first / ".venv", ["torch"])
    return first, second


def kinds(root: Path) -> list[str]:
    return [cure.kind for cure in report(root).cures]


def test_a_work_tree_without_an_environment_is_offered_that_of_its_sibling(trees: tuple[Path, Path]) -> None:
    first, second = trees
    found = report(second)
    assert kinds(second) == ["sibling", "install", "link", "stop"]
    sibling, install, link, _ = found.cures
    assert (sibling.python, sibling.touches, sibling.commands) == (f"{first}/.venv/bin/python", "nothing", ())
    assert install.text == "run python3 -m venv .venv && .venv/bin/pip install -r requirements.txt"
    assert link.commands == (("ln", "-s", f"{first}/.venv", ".venv"),)
    assert not (second / ".venv").exists()
    asked = report(second, asked=sibling.python)
    assert (asked.python, asked.faults) == (sibling.python, ())


def test_a_member_of_a_work_tree_finds_the_same_folder_of_the_sibling(trees: tuple[Path, Path]) -> None:
    first, second = trees
    (second / "sub").mkdir()
    (second / "sub/train.py").write_text("import torch\n")
    make_environment(first / "sub/.venv", ["torch"])
    assert report(second / "sub").cures[0].python == f"{first}/sub/.venv/bin/python"


def test_a_broken_sibling_is_not_offered(trees: tuple[Path, Path]) -> None:
    first, second = trees
    (first / ".venv/bin/python").unlink()
    assert kinds(second) == ["install", "stop"]


def test_where_something_is_no_link_is_offered(trees: tuple[Path, Path]) -> None:
    _, second = trees
    (second / ".venv").symlink_to("nowhere")
    assert kinds(second) == ["sibling", "install", "stop"]


def test_a_project_that_can_be_run_needs_no_cure(trees: tuple[Path, Path]) -> None:
    assert kinds(trees[0]) == []


def test_a_link_is_made_on_consent_and_never_over_something(trees: tuple[Path, Path]) -> None:
    first, second = trees
    link = report(second).cures[2]
    apply_cure(second, link)
    assert (second / ".venv").readlink() == first / ".venv"
    assert report(second).python == ".venv/bin/python"
    with pytest.raises(FlagstoneError, match="there already"):
        apply_cure(second, link)
    assert (second / ".venv").readlink() == first / ".venv"


def test_an_install_command_runs_as_it_was_shown_and_its_failure_is_told(tmp_path: Path) -> None:
    apply_cure(tmp_path, EnvironmentCure("install", "", (("sh", "-c", "echo $0 > done", "a b; c"),)))
    assert (tmp_path / "done").read_text() == "a b; c\n"
    failing = EnvironmentCure("install", "", (("sh", "-c", "echo no such package >&2; exit 3"), ("touch", "after")))
    with pytest.raises(FlagstoneError, match="ended with 3: no such package"):
        apply_cure(tmp_path, failing)
    assert not (tmp_path / "after").exists()


@pytest.mark.parametrize("kind", ["sibling", "stop"])
def test_the_other_cures_touch_nothing(tmp_path: Path, kind: str) -> None:
    apply_cure(tmp_path, EnvironmentCure(kind, "", (("touch", "done"),)))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_no_hook_and_no_program_of_the_repository_is_started(trees: tuple[Path, Path]) -> None:
    first, second = trees
    program = first / "evil"
    program.write_text(f"#!/bin/sh\ntouch {first}/ran\n")
    program.chmod(0o755)
    for name, value in {"core.fsmonitor": program, "core.pager": program, "core.hooksPath": first}.items():
        subprocess.run(["git", "config", name, str(value)], cwd=first, check=True)
    assert kinds(second)[0] == "sibling"
    assert not (first / "ran").exists()
