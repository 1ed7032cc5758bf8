"""What a touch can be an approval of: exactly what lay there before it, whole, and nothing that came or went after."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from answering_desk import Desk

from flagstone.errors import FlagstoneError
from flagstone.gates.judge import State, judge_gate
from flagstone.gates.moment import read_moment
from flagstone.gates.runs.run_config import open_run
from flagstone.gates.sealing import approve_stage, command_decision


def state(desk: Desk, nr: str = "01") -> State:
    opened = open_run(desk.opened.project, desk.run)
    return judge_gate(read_moment(opened), opened.table.stage(nr)).state


def touched(desk: Desk) -> None:
    desk.run.flag("01").touch()


@pytest.fixture
def built(desk: Desk) -> Desk:
    desk.build()
    return desk


def test_a_touch_after_the_stage_was_built_is_an_approval(built: Desk) -> None:
    assert state(built) is State.WAITING
    touched(built)
    assert state(built) is State.APPROVED


def test_a_folder_in_the_place_of_the_flag_is_no_approval(built: Desk) -> None:
    built.run.flag("01").mkdir()
    assert state(built) is State.WAITING


def test_a_file_that_is_gone_was_not_approved_by_a_touch(built: Desk) -> None:
    touched(built)
    (built.run.workspace / "notes" / "01.md").unlink()
    assert state(built) is State.WAITING


def test_a_file_that_goes_after_a_second_touch_of_the_same_content_makes_the_gate_stale(built: Desk) -> None:
    built.approve()
    later = time.time_ns() + 1_000_000
    os.utime(built.run.flag("01"), ns=(later, later))
    assert state(built) is State.APPROVED
    (built.run.workspace / "notes" / "01.md").unlink()
    assert state(built) is State.STALE


def test_a_file_edited_after_the_touch_is_not_approved_even_with_its_time_set_back(built: Desk) -> None:
    touched(built)
    note = built.run.workspace / "notes" / "01.md"
    note.write_text("edited")
    os.utime(note, (0, 0))
    assert state(built) is State.WAITING


def test_an_approval_by_command_refuses_what_is_incomplete_or_has_moved(built: Desk) -> None:
    opened = open_run(built.opened.project, built.run)
    stage = opened.table.stage("01")
    for digest in ("", "abc"):
        with pytest.raises(FlagstoneError, match="too short"):
            approve_stage(opened, stage, command_decision(), digest)
    with pytest.raises(FlagstoneError, match="has changed"):
        approve_stage(opened, stage, command_decision(), "0" * 12)
    (built.run.workspace / "notes" / "01.md").unlink()
    with pytest.raises(FlagstoneError, match="is missing"):
        approve_stage(open_run(built.opened.project, built.run), stage, command_decision())


def test_a_changed_index_is_not_approved_by_an_earlier_touch(built: Desk, tmp_path: Path) -> None:
    touched(built)
    index = built.run.index("data")
    index.parent.mkdir(exist_ok=True)
    index.write_text('{"entries": [{"path": "workspace/data/x.csv", "digest": "0", "producer": {"stage": "01"}}]}')
    assert state(built) is State.WAITING
