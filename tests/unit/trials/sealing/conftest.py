"""What the tests of sealing share."""

from __future__ import annotations

from pathlib import Path

import pytest
from sealed_trial import SealedTrial


@pytest.fixture
def trial(tmp_path: Path) -> SealedTrial:
    """A trial with a plan, nothing of it sealed yet."""
    return SealedTrial(tmp_path).write()
