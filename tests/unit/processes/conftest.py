"""Real children in a folder of their own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from flagstone.processes import Command, Output, ProcessLimits, ProcessResult, run


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(tmp_path / "log" / "out.log", tmp_path / "log" / "err.log")


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., Command]:
    """A command made from one line of shell."""

    def made(line: str, stdin: bytes = b"", owner: str = "", **variables: str) -> Command:
        env = {"PATH": os.environ["PATH"], **variables}
        return Command(("sh", "-c", line), None, tmp_path, env, stdin, owner)

    return made


@pytest.fixture
def ran(shell: Callable[..., Command], output: Output) -> Callable[..., ProcessResult]:
    """What became of one line of shell; limits are given by name."""

    def result(line: str, **limits: float) -> ProcessResult:
        return run(shell(line), ProcessLimits(**{"stop_s": 0.3, **limits}), output)  # type: ignore[arg-type]

    return result
