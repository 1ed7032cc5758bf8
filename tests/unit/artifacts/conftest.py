"""What every test of artifacts starts from."""

from __future__ import annotations

from pathlib import Path

import pytest
from material import make_run

from flagstone.layout import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path)
