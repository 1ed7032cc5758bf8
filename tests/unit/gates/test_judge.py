"""The table of the gate, row by row: what is on disk at one moment, and the verdict on it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from moments import FLAG, NOW, SECOND, SETTINGS, TOUCHED, approved, built, edited, moment, seal_of, unbuilt

from flagstone.gates.judge import State, judge_gates, may_policy_approve
from flagstone.gates.moment import Flag, StageFiles
from flagstone.seals import Seal

LATER = Flag(mtime_ns=NOW - SECOND, made_ns=NOW - SECOND)
REVOCATION = Seal(event="revoked")
OPUS = {**SETTINGS, "model": "opus"}


def with_flag(files: StageFiles, flag: Flag | None = FLAG) -> StageFiles:
    return replace(files, flag=flag)


def revoked(files: StageFiles, flag: Flag | None = None) -> StageFiles:
    return replace(files, flag=flag, decisions=(*files.decisions, REVOCATION))


TABLE = {
    "nothing was built": (unbuilt("01"), State.NOT_YET, "is not built yet"),
    "a flag before there is a stage": (with_flag(unbuilt("01")), State.NOT_YET, "it is not an approval"),
    "no flag": (built("01"), State.WAITING, "waits for you"),
    "a touch after the stage was built": (with_flag(built("01")), State.APPROVED, ""),
    "a flag older than the stage": (with_flag(built("01"), Flag(1, TOUCHED)), State.WAITING, "older than attempt 1"),
    "a flag dated later than it was made": (with_flag(built("01"), Flag(TOUCHED, 1)), State.WAITING, "older than"),
    "a flag from the future": (with_flag(built("01"), Flag(NOW + 9 * SECOND, NOW)), State.WAITING, "in the future"),
    "a clock that is a second off": (with_flag(built("01"), Flag(NOW + SECOND, NOW)), State.APPROVED, ""),
    "a flag that came with a copy": (with_flag(built("01"), replace(FLAG, is_copied=True)), State.WAITING, "copied"),
    "a file edited before the touch": (with_flag(edited(built("01"), at_ns=TOUCHED - 1)), State.APPROVED, ""),
    "a file edited after the touch": (with_flag(edited(built("01"))), State.WAITING, "older than stages/01.md"),
    "a file that is gone": (with_flag(edited(built("01"), at_ns=float("inf")), LATER), State.WAITING, "older than"),
    "a sealed approval": (approved("01"), State.APPROVED, "is approved"),
    "a sealed flag touched again": (with_flag(approved("01"), LATER), State.APPROVED, "is approved"),
    "a sealed flag with any time": (with_flag(approved("01"), Flag(1, 1, is_copied=True)), State.APPROVED, ""),
    "an edit after the seal": (
        edited(approved("01")),
        State.STALE,
        "changed after it was approved: stages/01.md changed",
    ),
    "an edit, and an older touch": (
        with_flag(edited(approved("01")), Flag(TOUCHED + 1, TOUCHED + 1)),
        State.STALE,
        "changed",
    ),
    "an edit, then a touch": (with_flag(edited(approved("01"), TOUCHED + 1), LATER), State.APPROVED, ""),
    "an edit, and a flag from the future": (
        with_flag(edited(approved("01")), Flag(NOW + 9 * SECOND, NOW)),
        State.STALE,
        "in the future",
    ),
    "a flag that was removed": (with_flag(approved("01"), None), State.REVOKED, "the approval was taken back"),
    "a rollback": (revoked(approved("01")), State.REVOKED, "the approval was taken back"),
    "a flag put back after a rollback": (revoked(approved("01"), LATER), State.APPROVED, ""),
    "feedback": (replace(approved("01"), feedback="f"), State.DUE, "feedback/01.md asks for changes"),
    "a redo mark": (replace(approved("01"), redo=1), State.DUE, "redo/01 asks for a new start"),
    "settings of a stage that waits": (replace(built("01"), settings=OPUS), State.DUE, "model the default → opus"),
    "settings of an approved stage": (replace(approved("01"), settings=OPUS), State.STALE, "model the default → opus"),
    "a document that was deleted": (replace(approved("01"), content=None), State.DUE, "must be published again"),
}


@pytest.mark.parametrize("row", TABLE)
def test_a_gate_is(row: str) -> None:
    files, state, words = TABLE[row]
    verdict = judge_gates(moment(files))["01"]
    assert verdict.state is state and words in verdict.reason, verdict.reason


def test_only_an_approval_that_is_not_sealed_yet_is_fresh() -> None:
    for files, is_fresh in (
        (with_flag(built("01")), True),
        (approved("01"), False),
        (revoked(approved("01"), LATER), True),
        (with_flag(edited(approved("01"), TOUCHED + 1), LATER), True),
    ):
        assert judge_gates(moment(files))["01"].is_fresh is is_fresh


def test_an_upstream_stage_that_changed_makes_what_rests_on_it_due_and_what_did_not_change_reruns_nothing() -> None:
    found = judge_gates(moment(edited(approved("01")), approved("02"), approved("03")))
    assert [verdict.state for verdict in found.values()] == [State.STALE, State.DUE, State.DUE]
    assert found["02"].reason == "stage 01 changed"
    again = replace(
        approved("01"), flag=LATER, decisions=(seal_of(approved("01")), REVOCATION, seal_of(approved("01")))
    )
    assert all(verdict.is_in_force for verdict in judge_gates(moment(again, approved("02"), approved("03"))).values())


def test_a_closed_gate_holds_everything_that_rests_on_it() -> None:
    found = judge_gates(moment(with_flag(approved("01"), None), approved("02"), approved("03")))
    assert [verdict.is_open for verdict in found.values()] == [False, True, True]
    assert [verdict.held_by and verdict.held_by.nr for verdict in found.values()] == [None, "01", "01"]
    assert not any(verdict.is_in_force for verdict in found.values())


def test_a_policy_approves_new_work_and_what_changed_since() -> None:
    assert may_policy_approve(judge_gates(moment(built("01")))["01"])
    assert may_policy_approve(judge_gates(moment(edited(approved("01"))))["01"])


def test_a_policy_never_approves_what_a_person_took_back() -> None:
    for files in (with_flag(approved("01"), None), revoked(approved("01")), edited(revoked(approved("01")))):
        assert not may_policy_approve(judge_gates(moment(files))["01"])


def test_a_policy_never_approves_over_changed_settings() -> None:
    for files in (replace(approved("01"), settings=OPUS), replace(edited(approved("01")), settings=OPUS)):
        verdict = judge_gates(moment(files))["01"]
        assert verdict.state is State.STALE and not may_policy_approve(verdict)


def test_a_seal_with_another_attempt_is_compared_by_content_alone() -> None:
    files = approved("01")
    other = replace(files, decisions=(seal_of(files, attempt=7),))
    assert judge_gates(moment(other))["01"].is_open
