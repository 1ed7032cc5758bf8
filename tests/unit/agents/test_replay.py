"""A recording is played as the call it was, within what may be written now."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from stand_in import INIT, SUCCESS, error

from flagstone.agents.protocol import AgentCall, CallOutcome, Event, Mode
from flagstone.agents.replay import ReplayAgent

Asked = Callable[..., AgentCall]


def record(folder: Path, *events: object, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "transcript.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    for name, content in files.items():
        (folder / name).write_text(content)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    record(tmp_path / "recording" / "03", INIT, SUCCESS)
    return tmp_path / "recording"


def replayed(recording: Path) -> ReplayAgent:
    return ReplayAgent({"folder": str(recording)})


def test_the_recorded_answer_and_its_events_come_again(recording: Path, asked: Asked) -> None:
    seen: list[Event] = []
    call = asked()
    result = replayed(recording).call(call, seen.append)
    assert (result.outcome, result.text, result.cost_usd) == (CallOutcome.OK, "all done", 0.25)
    assert [event.kind for event in seen] == ["session", "final"]
    assert (call.record_dir / "transcript.jsonl").read_text().count("\n") == 2


def test_the_recorded_files_are_put_where_they_were(recording: Path, asked: Asked) -> None:
    (recording / "03" / "draft.md").write_text("# draft")
    source = recording / "03" / "files" / "workspace" / "notes" / "a.md"
    source.parent.mkdir(parents=True)
    source.write_text("a")
    call = asked()
    assert replayed(recording).call(call, lambda _: None).denied == ()
    assert call.task.draft.read_text() == "# draft"
    assert (call.task.run_root / "workspace" / "notes" / "a.md").read_text() == "a"


def test_a_recording_cannot_write_what_is_not_granted(recording: Path, asked: Asked, tmp_path: Path) -> None:
    files = recording / "03" / "files"
    (files / "approved").mkdir(parents=True)
    (files / "approved" / "03.flag").write_text("approved")
    (files / "workspace" / "out").mkdir(parents=True)
    (files / "workspace" / "out" / "x").write_text("x")
    call = asked()
    (call.task.run_root / "workspace").mkdir()
    (call.task.run_root / "workspace" / "out").symlink_to(tmp_path)
    denied = replayed(recording).call(call, lambda _: None).denied
    root = call.task.run_root
    assert denied == (f"Write: {root / 'approved' / '03.flag'}", f"Write: {root / 'workspace' / 'out' / 'x'}")
    assert not (root / "approved").exists()
    assert not (tmp_path / "x").exists()


def test_an_attempt_may_have_a_recording_of_its_own(recording: Path, asked: Asked) -> None:
    record(recording / "03" / "1", INIT, error(api_error_status=529), exit_code="1\n")
    assert replayed(recording).call(asked(), lambda _: None).outcome is CallOutcome.RETRYABLE


def test_a_reviewer_has_a_recording_of_its_own_and_never_that_of_the_author(recording: Path, asked: Asked) -> None:
    call = asked(mode=Mode.JUDGE)
    call = replace(call, task=replace(call.task, title="stage 03: paper_reviewer"))
    result = replayed(recording).call(call, lambda _: None)
    assert (result.outcome, "the paper_reviewer of stage 03" in result.reason) == (CallOutcome.CONFIG, True)
    record(recording / "03" / "reviews" / "paper_reviewer", INIT, SUCCESS)
    assert replayed(recording).call(call, lambda _: None).outcome is CallOutcome.OK


def test_a_stage_without_a_recording_is_named(tmp_path: Path, asked: Asked) -> None:
    (tmp_path / "recording").mkdir()
    result = replayed(tmp_path / "recording").call(asked(), lambda _: None)
    assert (result.outcome, "stage 03" in result.reason) == (CallOutcome.CONFIG, True)


def test_a_missing_recording_is_a_fault(tmp_path: Path, recording: Path) -> None:
    assert replayed(recording).fault() is None
    assert "no recording" in (replayed(tmp_path / "none").fault() or ("", ""))[0]
