"""What a run could not write to, read from its log."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from flagstone.experiments.measuring.denials import denied_paths


@pytest.mark.parametrize(
    "line",
    [
        "PermissionError: [Errno 13] Permission denied: '/var/x/y'",
        "touch: cannot touch '/var/x/y': Read-only file system",
        "bash: /var/x/y: Permission denied",
    ],
)
def test_the_path_is_read_whichever_program_said_it(line: str, tmp_path: Path) -> None:
    ((path, cure),) = denied_paths(f"before\n{line}\nafter\n", tmp_path)
    assert (path, "harness.writable: [/var/x]" in cure) == ("/var/x/y", True)


def test_a_log_of_one_endless_line_is_read_in_no_time(tmp_path: Path) -> None:
    began = time.process_time()
    assert not denied_paths("x" * 1_000_000, tmp_path)
    assert time.process_time() - began < 10  # it took hours
