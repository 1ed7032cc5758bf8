"""What is asked of a stage: the same as long as nothing changed, and another turn for each thing that does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from moments import SETTINGS, TABLE, approved, built, edited, moment, unbuilt

from flagstone.gates.moment import StageFiles
from flagstone.gates.turns import changed_settings, next_turn

SECOND_STAGE = TABLE.stage("02")
OPUS = {**SETTINGS, "model": "opus"}


def key(*files: StageFiles) -> str:
    return next_turn(moment(*files), SECOND_STAGE).key


def test_nothing_new_is_the_turn_that_was_published() -> None:
    files = built("02")
    assert files.publication and next_turn(moment(built("01"), files), SECOND_STAGE) == files.publication.turn


@pytest.mark.parametrize(
    "changed",
    [
        (built("01"), replace(built("02"), feedback="f")),
        (built("01"), replace(built("02"), redo=1)),
        (built("01"), replace(built("02"), settings=OPUS)),
        (edited(built("01")), built("02")),
        (unbuilt("01"), built("02")),
    ],
)
def test_each_change_asks_for_another_turn(changed: tuple[StageFiles, ...]) -> None:
    assert key(*changed) != key(built("01"), built("02"))


def test_feedback_that_was_taken_up_and_then_removed_asks_for_nothing() -> None:
    files = built("02")
    assert files.publication
    turn = replace(files.publication.turn, feedback="f")
    taken_up = replace(files, publication=replace(files.publication, turn=turn))
    assert next_turn(moment(built("01"), taken_up), SECOND_STAGE) == turn
    assert next_turn(moment(built("01"), replace(taken_up, feedback="f")), SECOND_STAGE) == turn
    assert next_turn(moment(built("01"), replace(taken_up, feedback="g")), SECOND_STAGE) != turn


def test_changed_settings_do_not_throw_approved_work_away() -> None:
    files = replace(approved("02"), settings=OPUS)
    assert key(approved("01"), files) == key(approved("01"), approved("02"))
    # but a new request is worked on with the new settings
    assert next_turn(moment(approved("01"), replace(files, redo=1)), SECOND_STAGE).settings == OPUS


def test_an_approval_counts_for_an_early_cut_off_whatever_the_decisions_upstream() -> None:
    assert key(approved("01"), approved("02")) == key(built("01"), built("02"))


def test_settings_that_differ_are_named_key_by_key() -> None:
    before = {"model": None, "options": {"tools": "a", "seed": 2}, "brief": "a"}
    now = {"model": "opus", "options": {"tools": "b", "seed": 2}, "brief": "b"}
    assert changed_settings(now, before) == ["the brief changed", "model the default → opus", "options.tools a → b"]


def test_limits_in_the_records_of_an_earlier_version_ask_for_nothing() -> None:
    files = built("01")
    assert files.publication
    older = replace(files.publication.turn, settings={**SETTINGS, "limits": {"turns": 400}})
    files = replace(files, publication=replace(files.publication, turn=older))
    assert next_turn(moment(files), files.stage).key == older.key
    asked = replace(files, feedback="f")
    assert next_turn(moment(asked), files.stage).key == replace(older, feedback="f").key_without_limits
