"""What every test of the loop starts from."""

from __future__ import annotations

from pathlib import Path

import pytest
from laboratory import Laboratory


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    return Laboratory(tmp_path / "here")
