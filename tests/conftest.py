"""In which order the tests run, which of them run on one worker, and which programs they find."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import Any

import pytest


def pytest_configure() -> None:
    """Lets `python` be the one that runs the tests, whatever the machine calls so (a shim takes ten times as long)."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts long tests first, so that no worker is left alone with one at the end."""
    items.sort(key=lambda item: not (item.get_closest_marker("slow") or "workflow" in item.path.parts))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keeps the tests of a file on one worker if the file has fixtures of its own that are made once.

    (`--dist loadgroup` would do so by a mark, but pytest 9 does not let xdist write the groups into the names.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class OneWorkerPerFixture(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.split("::")[0]
            return path if has_module_fixtures(config.rootpath / path) else nodeid

    return OneWorkerPerFixture(config, log)


@functools.cache
def has_module_fixtures(path: Path) -> bool:
    return 'fixture(scope="module")' in path.read_text()
