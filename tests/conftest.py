"""In which order the tests run."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts long tests first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: not (item.get_closest_marker("slow") or "workflow" in item.path.parts))
