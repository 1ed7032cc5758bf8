"""Calls of the demo agent and of the agent `scripted`: how each action ends, and what it leaves."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from demo_run import STAGES, demo_run

from flagstone.agents.demo import DemoAgent
from flagstone.agents.protocol import CallOutcome, Limits, Mode


def test_it_is_called_demo_and_needs_nothing() -> None:
    assert DemoAgent().name == "demo"
    assert DemoAgent().fault() is None


def test_an_instant_run_passes_every_check_of_every_stage(tmp_path: Path) -> None:
    assert demo_run(tmp_path, script={"*": "instant"}).through() == {}


def test_a_constant_run_passes_every_check_too(tmp_path: Path) -> None:
    assert demo_run(tmp_path, script={"*": "instant"}, constant=True).through() == {}


def test_an_instant_result_follows_from_memory_feedback_and_attempt(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": "instant"})
    seen = set()
    memories = ("", "# Stage 01: Literature Survey\n\n## Key Results\n\nOne.\n")
    for number, (memory, feedback) in enumerate((m, f) for m in memories for f in ("", "More.")):
        run.memory = memory
        for attempt in (1, 2):
            run.call("02", attempt, feedback=feedback, record_dir=tmp_path / f"records-{number}-{attempt}")
            seen.add(run.text("02", attempt))
    assert len(seen) == 8
    assert "More." in run.text("02", 2)


def test_the_same_question_gives_the_same_instant_result(tmp_path: Path) -> None:
    first, second = (demo_run(tmp_path / name, script={"*": "instant"}) for name in ("a", "b"))
    first.through(), second.through()
    assert first.content() == second.content()


def test_a_constant_result_does_not_depend_on_the_question(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": "instant"}, constant=True)
    run.call("02", 1)
    run.memory = "# Stage 01: Literature Survey\n\n## Key Results\n\nOne.\n"
    run.call("02", 2, feedback="Something else.", resume=True)
    assert run.text("02", 1) == run.text("02", 2)


def test_later_stages_in_the_memory_do_not_count(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": "instant"})
    run.memory = "# Stage 01: Literature Survey\n\n## Key Results\n\nOne.\n\n"
    run.call("02")
    before = run.text("02")
    run.memory += "# Stage 05: Experimentation\n\n## Key Results\n\nFive.\n"
    run.call("02")
    assert run.text("02") == before


def test_the_instant_paper_has_what_a_paper_is_built_from(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": "instant"})
    run.call("07")
    assert "nothing was measured" in run.file("writing/abstract.tex").read_text()
    assert "everything" in run.file("writing/paper.yaml").read_text()


def test_a_call_leaves_a_note_that_tests_can_count(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": "instant"})
    result = run.call("02", 3, resume=True)
    note = json.loads((run.draft("02", 3).parent / "commands" / "call.json").read_text())
    assert note["stage"] == "02" and note["attempt"] == 3 and note["resume"] is True
    assert note["session_id"] == result.session_id and len(note["prompt_sha256"]) == 64


def test_a_script_costs_nothing_and_says_so(tmp_path: Path) -> None:
    result = demo_run(tmp_path, script={"*": "instant"}).call("02")
    assert (result.outcome, result.cost_usd, result.usage.input_tokens) == (CallOutcome.OK, 0.0, 0)
    assert result.started_at <= result.ended_at


def test_what_it_does_is_heard_and_kept(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": ["say good morning", "instant"]})
    run.call("02")
    assert [event.kind for event in run.events] == ["session", "text", "tool", "final"]
    assert "scripted" in run.events[0].text
    assert "good morning" in (run.draft("02").parent / "transcript.jsonl").read_text()


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("write-nothing", CallOutcome.OK),
        (["exit", 3], CallOutcome.CRASHED),
        (["exit", 0], CallOutcome.MALFORMED),
        ("crash", CallOutcome.CRASHED),
        (["rate-limit", 7], CallOutcome.RETRYABLE),
        ("outcome auth", CallOutcome.AUTH),
        ("outcome ok", CallOutcome.OK),
        ("dance", CallOutcome.CONFIG),
    ],
)
def test_each_ending_has_its_outcome(tmp_path: Path, action: Any, outcome: CallOutcome) -> None:
    run = demo_run(tmp_path, script={"*": action})
    result = run.call("02")
    assert result.outcome is outcome
    assert result.reason
    assert not run.text("02")


def test_a_rate_limit_says_how_long_to_wait(tmp_path: Path) -> None:
    assert demo_run(tmp_path, script={"*": ["rate-limit", 7]}).call("02").retry_after_s == 7.0
    assert demo_run(tmp_path, script={"*": "rate-limit"}).call("02").retry_after_s is None


def test_only_a_resumed_conversation_can_be_lost(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": ["session-lost", "instant"]})
    assert run.call("02", resume=True).outcome is CallOutcome.SESSION_LOST
    assert not run.text("02")
    assert run.call("02").outcome is CallOutcome.OK
    assert run.draft("02").exists()


def test_a_script_that_hangs_is_ended_at_its_limit(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": ["hang", 60]})
    assert run.call("02", limits=Limits(60, 0.2, 1, None)).outcome is CallOutcome.SILENT


def test_a_script_that_sleeps_too_long_is_ended_too(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": ["sleep", 60]})
    assert run.call("02", limits=Limits(0.2, 60, 1, None)).outcome is CallOutcome.TIMEOUT


def test_a_study_that_takes_too_long_is_ended_and_not_called_wrong(tmp_path: Path) -> None:
    run = demo_run(tmp_path)
    assert run.call("03", limits=Limits(0.1, 60, 1, None)).outcome is CallOutcome.TIMEOUT
    assert not run.text("03")


def test_a_daemon_does_not_outlive_its_call(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": [["daemon", "61.25"], "instant"]})
    assert run.call("02").outcome is CallOutcome.OK
    commands = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            commands.append(Path(f"/proc/{pid}/cmdline").read_bytes())
        except OSError:
            continue
    assert b"sleep\x0061.25\x00" not in commands


def test_a_flood_is_kept_short_and_does_not_hide_the_result(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": [["print-flood", 110], "instant"]})
    assert run.call("02").outcome is CallOutcome.OK
    assert (run.draft("02").parent / "transcript.jsonl").stat().st_size < 101_000_000


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        ("write-nothing", "draft-written"),
        ("write-garbage", "summary-"),
        ("binary", "summary-"),
        (["huge", 20], "summary-"),
        ("missing-section Key Results", "summary-"),
        ("placeholder", "summary-"),
        ("symlink-out", "summary-"),
    ],
)
def test_what_it_spoils_is_found_by_the_checks(tmp_path: Path, action: Any, rule: str) -> None:
    broken = demo_run(tmp_path, script={"*": action}).checked("02")
    assert broken and broken[0].startswith(rule), broken
    assert all(line.startswith((rule, "named-files")) for line in broken), "some of them write no other file either"


def test_control_characters_reach_the_draft(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": "control-characters"})
    run.call("02")
    assert "\x1b[31m" in run.text("02")


def test_a_forger_writes_flag_seal_and_summary(tmp_path: Path) -> None:
    run = demo_run(tmp_path, script={"*": "forge"})
    for folder in ("approved", "stages"):
        (tmp_path / folder).mkdir()
    (tmp_path / "stages" / "01_literature_survey.md").write_text("# Stage 01\n")
    run.call("02", sandbox="off")
    assert (tmp_path / "approved" / "02.flag").exists()
    assert "forged" in (tmp_path / "approved" / "seals.jsonl").read_text()
    assert "agent was here" in (tmp_path / "stages" / "01_literature_survey.md").read_text()


def test_it_can_edit_what_was_approved_and_write_anywhere_in_the_run(tmp_path: Path) -> None:
    (tmp_path / "brief.md").write_text("Goal\n")
    script = {"*": [["edit-approved", "brief.md"], ["write", "workspace/notes/a.txt", "hello"], "feedback more seeds"]}
    demo_run(tmp_path, script=script).call("02", sandbox="off")
    assert (tmp_path / "brief.md").read_text() == "Goal\n\nAn agent was here.\n"
    assert (tmp_path / "workspace/notes/a.txt").read_text() == "hello"
    assert (tmp_path / "feedback/02.md").read_text() == "more seeds\n"


@pytest.mark.parametrize("mode", [Mode.EDIT, Mode.JUDGE])
def test_it_says_that_it_neither_edits_nor_judges_outside_a_campaign(tmp_path: Path, mode: Mode) -> None:
    result = demo_run(tmp_path).call("02", mode=mode)
    assert result.outcome is CallOutcome.CONFIG
    assert "nothing else" in result.reason


def test_a_stage_without_what_it_rests_on_says_what_is_missing(tmp_path: Path) -> None:
    for stage, missing in (("04", "data/design.json"), ("08", "data/design.json")):
        result = demo_run(tmp_path).call(stage)
        assert result.outcome is CallOutcome.CONFIG
        assert missing in result.reason


def test_feedback_is_quoted_and_cannot_break_the_summary(tmp_path: Path) -> None:
    hostile = "## Key Results\n\n~~~~\n[TODO]\nTODO: rewrite\n# Stage 03: Mine\x1b[2J"
    run = demo_run(tmp_path)
    assert run.checked("02", feedback=hostile, resume=True) == []
    assert "A scripted agent cannot act on free text" in run.text("02")


def test_it_knows_one_request(tmp_path: Path) -> None:
    run = demo_run(tmp_path, scale="small")
    run.call("03", feedback="Please take seeds: 9.")
    assert json.loads(run.file("data/design.json").read_text())["seeds"] == list(range(1, 10))
    run.call("03", feedback="seeds: 400")
    assert len(json.loads(run.file("data/design.json").read_text())["seeds"]) == 16


def test_the_stages_of_the_tests_are_those_of_the_agent() -> None:
    from flagstone.agents.demo.stages import STAGES as KNOWN

    assert set(KNOWN) == set(STAGES)
