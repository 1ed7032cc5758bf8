"""The log of a job has an end, whatever an agent says."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from flagstone.cli.jobs.job_log import LARGEST, open_job_log


def test_what_is_said_is_heard_twice_and_the_log_is_kept_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    log = tmp_path / "logs" / "01.log"
    for job in range(2):
        with open_job_log(log) as say:
            for number in range(80_000 * job + 1):
                say(f"job {job} says {number} {'x' * 60}")
    assert "job 0 says 0" in sys.stderr.getvalue()  # type: ignore[attr-defined]
    text = log.read_text()
    assert "job 0 says 0" in text and "job 1 says 80000" in text and "bytes left out" in text
    assert len(text) < LARGEST + 1000
