"""A folder for runs is not made over a file, or through a link."""

from __future__ import annotations

from pathlib import Path

import pytest

from flagstone.errors import FlagstoneError
from flagstone.setup import create_project


def test_a_file_and_a_link_to_nowhere_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/Snakefile").symlink_to(tmp_path / "outside")
    for name, problem in (("file", "is no folder"), ("linked", "has a Snakefile already")):
        with pytest.raises(FlagstoneError, match=problem):
            create_project(tmp_path / name)
    assert not (tmp_path / "outside").exists()
