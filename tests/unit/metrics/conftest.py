"""A run that has just ended, with a log that a test writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flagstone.metrics.series import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A run's folder; it began a moment ago and ends in one."""
    folder = tmp_path / "tree"
    folder.mkdir()
    return Place(folder, tmp_path / "run.log", time.time() - 1, time.time() + 60)


@pytest.fixture
def printed(place: Place) -> Callable[[str | bytes], Place]:
    """The run whose log says this."""

    def make(text: str | bytes) -> Place:
        place.log.write_bytes(text if isinstance(text, bytes) else text.encode())
        return place

    return make
