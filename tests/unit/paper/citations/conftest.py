"""A server that imitates the registries, and a run that cites."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from citing_run import CitingRun
from registry_server import RegistryServer

from flagstone.layout import Run
from flagstone.paper.citations.registries import client


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with RegistryServer() as running:
        yield running


@pytest.fixture
def citing(tmp_path: Path, server: RegistryServer, monkeypatch: pytest.MonkeyPatch) -> CitingRun:
    monkeypatch.setattr(client, "PAUSE_S", 0.01)
    monkeypatch.setattr(client, "SPACING_S", {"arxiv": 0.01})
    return CitingRun(Run(tmp_path / "run"), server)
