from __future__ import annotations

from pathlib import Path

import pytest
from lone_trials import LoneProject


@pytest.fixture
def project(tmp_path: Path) -> LoneProject:
    """A project with a trial that is set up, and has not begun."""
    made = LoneProject(tmp_path / "project")
    made.write()
    return made
