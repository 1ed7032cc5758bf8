"""What a person learns of a run without opening its log: why it crashed, what it left behind, whom it waits for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from laboratory import TRAIN, Edits, Laboratory, whole

from flagstone.experiments.measuring import leases

RANKS = """import sys
def deep(left):
    if left == 0:
        raise ValueError("no data here")
    deep(left - 1)
try:
    deep(400)
except ValueError:
    import traceback
    for line in traceback.format_exc().splitlines():
        print("[rank3]:", line, file=sys.stderr)
    for number in range(2000):
        print("shutting down worker", number)
    sys.exit(1)
"""
SERVANT = TRAIN + "import subprocess\nsubprocess.Popen(['sleep', '100'], start_new_session=True)\n"


def test_a_crash_tells_its_exception_in_the_verdict(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({2: whole(RANKS), 3: whole("import os\nos.kill(os.getpid(), 11)\n")}), limit=3)
    _, ranks, native = laboratory.entries()
    assert ranks.reason == "exit code 1: [rank3]: ValueError: no data here"
    assert "r0002 crash    exit code 1: [rank3]: ValueError: no data here" in laboratory.said[1]
    assert native.reason == "signal 11"


def test_processes_that_had_to_be_ended_are_counted(laboratory: Laboratory) -> None:
    laboratory.make()
    laboratory.run(Edits({2: whole(SERVANT)}), limit=2)
    clean, left = (entry.first for entry in laboratory.entries())
    assert clean is not None and left is not None
    assert (clean.stragglers, left.stragglers, left.status) == (0, 1, "ok")


def test_a_run_that_waits_says_what_for(
    laboratory: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGSTONE_LOCKS", str(tmp_path / "locks"))
    laboratory.make(harness={"argv": ["python", "train.py"], "seconds": 60, "exclusive": True})
    with leases.hold_machine(is_alone=False):
        working = threading.Thread(target=laboratory.run, kwargs={"limit": 1}, daemon=True)
        working.start()
        working.join(3)
        assert laboratory.said == ["r0001 is waiting for other runs"]
    working.join(60)
    assert [each.verdict for each in laboratory.entries()] == ["advance"]
