"""Handoffs are short, made by us, and only of what is approved; memory is the approved bytes, once, in order."""

from __future__ import annotations

from functools import partial

from answering_desk import Desk, good

from flagstone.gates import requests
from flagstone.gates.runs.run_config import open_run
from flagstone.status import refresh_derived
from flagstone.status.handoff import LIMIT_BYTES


def test_a_handoff_stays_within_its_bound_however_long_the_summary_is(desk: Desk) -> None:
    desk.answers = [partial(good, words="word " * 20_000)]
    desk.build()
    desk.approve()
    refresh_derived(desk.opened)
    assert 0 < len(desk.run.handoff("01").read_bytes()) <= LIMIT_BYTES


def test_a_revoked_stage_hands_nothing_over_and_is_not_remembered(desk: Desk) -> None:
    desk.answers = [partial(good, words="Something to remember.")]
    desk.build()
    desk.approve()
    refresh_derived(desk.opened)
    assert desk.run.memory.read_text().count("Something to remember.") == 1
    requests.rollback(desk.opened, desk.opened.table.stage("01"), "wrong")
    opened = open_run(desk.opened.project, desk.run)
    refresh_derived(opened)
    assert "Something to remember." not in desk.run.memory.read_text()
    assert not desk.run.handoff("01").exists()


def test_memory_is_rebuilt_from_the_seals_whatever_was_written_into_it(desk: Desk) -> None:
    desk.build()
    desk.approve()
    refresh_derived(desk.opened)
    whole = desk.run.memory.read_bytes()
    desk.run.memory.write_text("somebody scribbled here")
    refresh_derived(desk.opened)
    assert desk.run.memory.read_bytes() == whole
    assert desk.summary() in whole.decode()
    assert "Does it help?" in whole.decode()


def test_a_brief_with_headings_of_its_own_is_remembered_whole(desk: Desk) -> None:
    desk.run.brief.write_text("# Brief\n\n## Goal\n\nA\n\n## Stage 05: not a stage\n\nkeep me\n")
    refresh_derived(desk.opened)
    assert "## Stage 05: not a stage\n\nkeep me" in desk.run.memory.read_text()
