"""The real, pinned Claude Code against our own Messages API. Not part of `make test`: see `make test-claude`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import Desk
from install import FOLDER, is_right, program_in
from messages_api import MessagesApi

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what lies here, before pytest leaves out what is marked."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.claude)


def leave_out(reason: str) -> None:
    """Skips a test, for everyone to see; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def program() -> Path:
    """The pinned Claude Code."""
    found = program_in(FOLDER)
    if not is_right(found):
        leave_out("the pinned Claude Code is not installed: make test-claude installs it (it needs npm)")
    return found


@pytest.fixture
def api() -> Iterator[MessagesApi]:
    with MessagesApi() as served:
        yield served


@pytest.fixture
def desk(tmp_path: Path, program: Path, api: MessagesApi) -> Desk:
    """A run to work in, and a home that holds nothing."""
    made = Desk(tmp_path, program, api)
    for folder in (made.workspace, tmp_path / "home"):
        folder.mkdir(parents=True)
    return made
