"""A seal comes before its flag, and two who decide at once leave one ledger that holds together."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moments import TABLE, built, moment

from flagstone import seals
from flagstone.gates import repairs, sealing
from flagstone.gates.judge import Verdict, judge_gates
from flagstone.layout import Run
from flagstone.records import Ledger
from flagstone.seals import Decision

DECIDERS, DECISIONS = 4, 30


class Killed(BaseException):
    """What a kill -9 looks like from within a test."""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "approved").mkdir()
    return Run(tmp_path)


def waiting() -> Verdict:
    return judge_gates(moment(built("01")))["01"]


def kill(*_words: object, **_facts: object) -> None:
    raise Killed


@pytest.mark.parametrize(
    "decision", [seals.decision_now("policy", "policy", policy="auto"), sealing.command_decision()]
)
def test_a_kill_before_the_seal_leaves_no_flag_that_looks_like_a_touch(
    run: Run, monkeypatch: pytest.MonkeyPatch, decision: Decision
) -> None:
    monkeypatch.setattr(seals, "record", kill)
    with pytest.raises(Killed):
        sealing.approve(run, waiting(), decision)
    monkeypatch.undo()
    assert not run.flag("01").exists() and not seals.decisions(run, "01")
    assert finish(run) == [] and not run.flag("01").exists()


def test_a_kill_between_the_seal_and_its_flag_is_put_right_by_the_next_call(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", kill)
    with pytest.raises(Killed):
        sealing.approve(run, waiting(), seals.decision_now("policy", "policy", policy="auto"))
    monkeypatch.undo()
    assert not run.flag("01").exists()
    (said,) = finish(run)
    assert "policy: auto" in said
    (seal,) = seals.decisions(run, "01")
    assert run.flag("01").stat().st_mtime_ns == seal.flag_mtime_ns


def finish(run: Run) -> list[str]:
    opened: Any = SimpleNamespace(run=run)
    return repairs.finish_approval(opened, TABLE.stage("01"))


def decide(root: Path) -> None:
    for number in range(DECISIONS):
        seals.record(Run(root), "approved", "01", Decision("person", "me", "now", "touch"), attempt=number)


def test_two_who_decide_at_once_wait_for_each_other(run: Run) -> None:
    with ProcessPoolExecutor(DECIDERS, mp_context=get_context("fork")) as deciders:
        list(deciders.map(decide, [run.root] * DECIDERS))
    assert Ledger(run.seals).problems() == []
    assert len(seals.decisions(run, "01")) == DECIDERS * DECISIONS
