"""One caller a run at a time: the second is told who holds it; a dead holder's lock is taken over."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest
from workbench import Place, Study, ended, wait_until

SLOW = {"*": {"*": {"do": [["sleep", 60]], "then": "instant"}}}


@pytest.mark.parametrize("holder", ["snakemake", "flagstone"])
def test_a_second_caller_is_told_who_holds_the_run_and_stops(place: Place, holder: str) -> None:
    study = place.new(script=SLOW)
    call = place.start_snakemake() if holder == "snakemake" else place.start_flagstone("run", "t")
    wait_until(lambda: study.counts()["01"], "the call of the agent")
    plain, ours = place.snakemake(), place.flagstone("run", "t")
    for said in (plain, ours):
        assert f"in use by process {call.pid} on {os.uname().nodename}" in said.text
        assert f"kill {call.pid}" in said.text and not said.has_traceback
    assert plain.code == 1 and ours.code == 2
    assert len(ours.lines) == 2
    stop(call)
    assert len(study.calls("01")) == 1


def stop(call: subprocess.Popen[bytes]) -> None:
    """Ends a call that would take a minute."""
    os.killpg(call.pid, signal.SIGTERM)
    assert not ended(call).has_traceback


def test_a_run_in_use_can_still_be_looked_at(place: Place) -> None:
    study = place.new(script=SLOW)
    call = place.start_snakemake()
    wait_until(lambda: study.counts()["01"], "the call of the agent")
    assert place.snakemake("-n").code == 0
    said = place.flagstone("status", "t")
    assert said.code == 0 and "running" in said.text
    stop(call)


def test_the_lock_of_a_dead_holder_is_taken_over(place: Place, first: Study) -> None:
    gone = {"pid": 4_000_000, "host": os.uname().nodename, "since": "2026-01-01T00:00:00.000Z"}
    first.files.lock.write_text(json.dumps(gone))
    locks = first.root / ".snakemake" / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    (locks / "0.input.lock").write_text("stages/01_literature_survey.md\n")
    (locks / "0.output.lock").write_text("stages/01_literature_survey.md\n")
    first.touch("01")
    said = place.snakemake()
    assert said.code == 0 and "stage 02 hypothesis_generation waits for you" in said.last


def test_a_holder_on_another_host_is_named_with_the_one_command_that_frees_the_run(place: Place, first: Study) -> None:
    lock = first.files.lock
    lock.write_text(json.dumps({"pid": 17, "host": "elsewhere", "since": "2026-01-01T00:00:00.000Z"}))
    for said, code in ((place.snakemake(), 1), (place.flagstone("run", "t"), 2)):
        assert said.code == code and not said.has_traceback
        assert "in use by process 17 on elsewhere" in said.text and f"rm {lock}" in said.text
    lock.unlink()
    assert place.snakemake().code == 0


@pytest.mark.parametrize("content", [b"garbage\xff", b'{"pid": null}'])
def test_a_lock_that_says_nothing_keeps_nobody_out(place: Place, first: Study, content: bytes) -> None:
    first.files.lock.write_bytes(content)
    assert place.snakemake().code == 0


def test_a_killed_holder_keeps_nobody_out(place: Place) -> None:
    study = place.new(script={"*": {1: {"do": [["sleep", 60]], "then": "instant"}, "*": "instant"}})
    call = place.start_flagstone("run", "t")
    wait_until(lambda: study.counts()["01"], "the call of the agent")
    os.killpg(call.pid, signal.SIGKILL)
    call.wait()
    said = place.flagstone("run", "t")
    assert said.code == 0 and "waits for you" in said.last
