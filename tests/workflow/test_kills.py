"""Killed at any moment: the next call goes on, repeats at most one call of the agent, and nothing is half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest
from workbench import INSTANT, STAGES, Place, Said, Study, ended, in_the_background, pids_in, wait_until

from flagstone.locks import holder_of
from flagstone.records import Ledger

SLOW = {"*": {"*": {"do": [["sleep", 0.15]], "then": "instant"}}}
# so many calls of the agent have begun, and so many seconds later the kill comes: from start-up to the last seal
MOMENTS = [
    (0, 0.0),
    (0, 0.6),
    (1, 0.0),
    (1, 0.1),
    (2, 0.17),
    (2, 0.4),
    (3, 0.2),
    (4, 0.05),
    (5, 0.25),
    (6, 0.3),
    (7, 0.35),
    (8, 0.22),
]


def strike(process: subprocess.Popen[bytes], number: int, *, all_of_them: bool) -> Said:
    (os.killpg if all_of_them else os.kill)(process.pid, number)
    return ended(process)


def assert_whole(study: Study) -> None:
    """What must hold after every kill and every recovery."""
    assert Ledger(study.files.seals).problems() == []
    for path in study.root.rglob("*.json"):
        if ".snakemake" not in path.parts and path.name != "call.json":
            json.loads(path.read_bytes())
    for nr in STAGES:
        seals = study.seals(nr)
        if study.files.flag(nr).exists():
            assert seals, f"stage {nr} has a flag that nothing was sealed for"


@pytest.mark.parametrize(
    ("way", "calls", "later_s"),
    [
        pytest.param(("all", "main")[at % 2], *moment, marks=[pytest.mark.slow] if at % 5 else [])
        for at, moment in enumerate(MOMENTS)
    ],
)
def test_a_run_that_is_killed_at_any_moment_goes_on_to_the_end(
    place: Place, way: str, calls: int, later_s: float
) -> None:
    study = place.new(script=SLOW)
    call = place.start_flagstone("run", "t", "--yes")
    wait_until(lambda: sum(study.counts().values()) >= calls, "the calls of the agent")
    time.sleep(later_s)
    strike(call, signal.SIGKILL, all_of_them=way == "all")
    assert_whole(study)
    interrupted = [nr for nr in STAGES if study.calls(nr) and not study.summary(nr).is_file()]

    said = place.flagstone("run", "t", "--yes")
    assert said.code == 0 and "is done" in said.last, said.text
    assert_done(study)
    assert sum(study.counts().values()) <= len(STAGES) + 1, f"repeated more than one call: {study.counts()}"
    for nr in interrupted:
        assert len({call["session_id"] for call in study.calls(nr)}) == 1, "the same conversation was taken up again"


def test_a_kill_between_a_rules_seal_and_its_flag_is_no_revocation(place: Place) -> None:
    study = place.new()
    place.flagstone("run", "t", "--yes", "--to", "02")
    flag = study.files.flag("02")
    os.replace(flag, flag.with_name(f".{flag.name}"))

    said = place.flagstone("run", "t", "--yes", "--to", "02")
    assert said.code == 0 and "was approved (policy: yes) when the" in said.text and "cut short" in said.text
    assert flag.is_file() and len(study.seals("02")) == 1 and not list(flag.parent.glob(".*.flag*"))

    flag.unlink()
    said = place.flagstone("run", "t", "--yes", "--to", "02")
    assert "the approval was taken back" in said.last and not flag.exists()


def assert_done(study: Study) -> None:
    assert study.built() == list(STAGES)
    assert all(1 <= count <= 2 for count in study.counts().values()), study.counts()
    for nr in STAGES:
        assert [seal["digest"] for seal in study.seals(nr)] == [study.digest(nr)]
    assert_whole(study)


@pytest.mark.parametrize("way", ["all", "main"])
@pytest.mark.parametrize("later_s", [0.0, 0.2, 0.5])
def test_plain_snakemake_that_is_killed_goes_on_without_being_unlocked(place: Place, way: str, later_s: float) -> None:
    study = place.new(script=SLOW)
    call = place.start_snakemake()
    wait_until(lambda: study.counts()["01"], "the call of the agent")
    time.sleep(later_s)
    strike(call, signal.SIGKILL, all_of_them=way == "all")
    assert_whole(study)
    said = place.snakemake()
    assert said.code == 0 and "stage 01 literature_survey waits for you" in said.last, said.text
    assert "LockException" not in said.text and not said.has_traceback
    assert study.counts()["01"] <= 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("program", ["snakemake", "flagstone"])
@pytest.mark.parametrize("way", ["all", "main"])
def test_a_call_that_is_asked_to_stop_stops_and_the_next_resumes_the_same_turn(
    place: Place, number: signal.Signals, program: str, way: str
) -> None:
    study = place.new(script={"*": {1: {"do": [["sleep", 2]], "then": "instant"}, "*": "instant"}})
    call = place.start_snakemake() if program == "snakemake" else place.start_flagstone("run", "t")
    wait_until(lambda: study.counts()["01"], "the call of the agent")
    said = strike(call, number, all_of_them=way == "all")
    assert not said.has_traceback, said.text
    assert_free_on_every_host(study)
    if program == "flagstone" and not study.summary("01").is_file():
        assert said.code == 130, said.text

    said = place.snakemake()
    assert "stage 01 literature_survey waits for you" in said.last, said.text
    calls = study.calls("01")
    assert len(calls) <= 2 and len({each["session_id"] for each in calls}) == 1
    assert all(each["resume"] for each in calls[1:])
    assert_whole(study)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("words", [("flagstone", "run", "t"), ("snakemake", "--cores", "2", "--config", "run=t")])
def test_a_call_that_was_started_in_the_background_stops_too(
    place: Place, number: signal.Signals, words: tuple[str, ...]
) -> None:
    study = place.new(script={"*": {"*": {"do": [["sleep", 60]]}}})
    call = in_the_background(*words, cwd=place.root)
    wait_until(lambda: study.counts()["01"], "the call of the agent")
    said = strike(call, number, all_of_them=True)
    assert said.code and not said.has_traceback, said.text
    assert pids_in(call.pid) == []
    assert_free_on_every_host(study)


def assert_free_on_every_host(study: Study) -> None:
    """Another host cannot see whether a process of this one lives: it goes by what is written in the lock."""
    assert [path.read_text() for path in (study.files.lock, study.files.drafts("01") / ".lock")] == ["", ""]


@pytest.mark.parametrize(("script", "code"), [(INSTANT, 0), ({"*": {"*": "crash"}}, 1)], ids=["gate", "failure"])
@pytest.mark.parametrize("program", ["snakemake", "flagstone"])
def test_a_call_that_ends_leaves_no_lock_to_other_hosts(
    place: Place, program: str, script: dict[str, object], code: int
) -> None:
    study = place.new("t", "limits.attempts=1", script=script)
    said = place.snakemake() if program == "snakemake" else place.flagstone("run", "t")
    assert bool(said.code) == bool(code), said.text
    assert_free_on_every_host(study)


@pytest.mark.parametrize("later_s", [0.03, 0.08, 0.15])
@pytest.mark.parametrize("program", ["snakemake", "flagstone"])
def test_a_stop_while_snakemake_takes_in_a_finished_stage_does_not_hang(
    place: Place, program: str, later_s: float
) -> None:
    study = place.new(script=SLOW)
    call = place.start_snakemake() if program == "snakemake" else place.start_flagstone("run", "t", "--yes")
    wait_until(study.summary("01").is_file, "the first stage")
    time.sleep(later_s)
    os.kill(call.pid, signal.SIGTERM)
    assert not ended(call, 20).has_traceback
    assert_whole(study)


def test_a_watching_run_ends_when_it_is_asked_to(place: Place, first: Study) -> None:
    call = place.start_flagstone("run", "t", "--watch")
    wait_until(lambda: first.files.lock.is_file() and not holder_of(first.files.lock), "the first pass")
    first.touch("01")
    wait_until(lambda: first.summary("02").is_file() and not holder_of(first.files.lock), "the second stage")
    os.kill(call.pid, signal.SIGTERM)
    said = ended(call, 20)
    assert said.code == 130 and "stopped watching" in said.text


def test_an_orphan_that_still_works_is_waited_for_and_its_work_is_kept(place: Place) -> None:
    study = place.new(script={"*": {"*": {"do": [["sleep", 2]], "then": "instant"}}})
    call = place.start_snakemake()
    wait_until(lambda: study.counts()["01"], "the call of the agent")
    os.kill(call.pid, signal.SIGKILL)
    call.wait()
    said = place.snakemake()
    assert "stage 01 literature_survey waits for you" in said.last
    assert len(study.calls("01")) <= 2
    wait_until(lambda: not pids_in(call.pid), "the orphan to end")
    assert_whole(study)


def test_a_kill_loses_no_approval_that_was_not_sealed_yet(place: Place, first: Study) -> None:
    first.touch("01")
    call = place.start_snakemake()
    time.sleep(0.5)
    strike(call, signal.SIGKILL, all_of_them=True)
    assert "stage 02 hypothesis_generation waits for you" in place.snakemake().last
    assert len(first.seals("01")) == 1


def test_a_torn_last_line_of_the_ledger_is_passed_over_and_said(place: Place, third: Study) -> None:
    with open(third.files.seals, "ab") as stream:
        stream.write(b'{"event":"approved","stage":"03","dig')  # power went away here
    said = place.snakemake()
    assert "stage 03 study_design waits for you" in said.last and "cannot be read and is passed over" in said.text
    third.touch("03")
    said = place.snakemake()
    assert "stage 04 implementation waits for you" in said.last and len(third.seals("03")) == 1
