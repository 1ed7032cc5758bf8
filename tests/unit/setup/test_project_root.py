"""Where a project begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstone.errors import FlagstoneError
from flagstone.setup import root_of_project

MARKS = ("pyproject.toml", "setup.py", "setup.cfg", "requirements-dev.txt", "environment.yaml", "pixi.toml", "Pipfile")


@pytest.mark.parametrize("mark", [*MARKS, ".git"])
def test_a_project_begins_at_the_nearest_folder_with_a_mark(tmp_path: Path, mark: str) -> None:
    below = tmp_path / "project/src/deep"
    below.mkdir(parents=True)
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "project" / mark).touch()
    assert root_of_project(below, tmp_path / "home") == tmp_path / "project"


def test_without_a_mark_a_project_begins_here(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "code/x").mkdir(parents=True)
    (home / ".git").mkdir()  # people keep their settings in git: that makes no project of everything
    assert root_of_project(home / "code/x", home) == home / "code/x"


@pytest.mark.parametrize("where", ["home", "link", "/"])
def test_the_home_and_the_whole_machine_are_no_project(tmp_path: Path, where: str) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/pyproject.toml").touch()
    (tmp_path / "link").symlink_to("home")
    with pytest.raises(FlagstoneError, match="more than one project"):
        root_of_project(tmp_path / where, tmp_path / "home")


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FlagstoneError, match="no folder"):
        root_of_project(tmp_path / "nowhere", tmp_path)
