"""A key that an earlier version had is accepted in old files, and named once."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from flagstone.errors import FlagstoneError
from flagstone.gates.runs.run_config import name_dropped_keys, open_run
from flagstone.layout import Project, Run

CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that version e144a5e made: its run.yaml repeats the goal."""
    with tarfile.open(CHECKOUT / "tests" / "data" / "made-by" / "e144a5e" / "runs" / "waiting-at-01.tar.gz") as archive:
        archive.extractall(tmp_path, filter="tar")
    return Run(next(tmp_path.iterdir()))


def test_the_goal_of_an_old_run_yaml_is_accepted_and_named_once(run: Run) -> None:
    assert "goal:" in run.settings.read_text()
    opened = open_run(Project(CHECKOUT, run.root.parent), run)
    (line,) = name_dropped_keys(opened)
    assert "goal" in line and "brief.md" in line
    assert name_dropped_keys(open_run(Project(CHECKOUT, run.root.parent), run)) == []


def test_a_key_that_never_was_is_an_error(run: Run) -> None:
    run.settings.write_text(run.settings.read_text() + "gaol: escape\n")
    with pytest.raises(FlagstoneError, match="unknown key 'gaol'"):
        open_run(Project(CHECKOUT, run.root.parent), run)
