"""The loop belongs to Flagstone: what an agent does wrong is repaired, bounded, and never published."""

from __future__ import annotations

import json
from functools import partial

import pytest
from answering_desk import Answer, Desk, ended, good

from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome
from flagstone.drafting import work
from flagstone.errors import FlagstoneError, Interrupted, WorkFailed


def silent(call: AgentCall) -> AgentResult:
    return ended(call)


def incomplete(call: AgentCall) -> AgentResult:
    good(call)
    call.task.draft.write_text(call.task.draft.read_text().replace("## Key Results", "## Results"))
    return ended(call)


def test_a_good_attempt_is_published_with_history_offer_and_transcript(desk: Desk) -> None:
    desk.build()
    assert desk.summary().startswith("# Stage 01: Literature Survey")
    offer = json.loads(desk.run.offer("01_literature_survey").read_text())
    assert [row["path"] for row in offer["artifacts"]] == ["workspace/notes/01.md"]
    kept = desk.run.history("01") / offer["version"]
    assert (kept / "stages" / "01_literature_survey.md").read_text() == desk.summary()
    assert (kept / "workspace" / "notes" / "01.md").is_file()
    assert "thinking about it" in (desk.run.drafts("01") / "001" / "events.log").read_text()


def test_the_records_of_an_older_run_have_the_form_of_today(desk: Desk) -> None:
    """A run pins what decides about its content; how Flagstone writes down what it did is the code's own."""
    for name in ("offer", "index"):
        pinned = desk.run.pinned / "schemas" / f"{name}.schema.yaml"
        pinned.write_text("type: object\nadditionalProperties: false\n")
    desk.build()
    assert desk.run.offer("01_literature_survey").is_file()


def test_the_same_request_is_published_again_without_a_call(desk: Desk) -> None:
    desk.build()
    desk.run.summary("01_literature_survey").unlink()
    desk.build()
    assert len(desk.calls) == 1
    assert desk.summary()


def test_an_attempt_that_wrote_nothing_is_failed_and_repaired_in_the_same_conversation(desk: Desk) -> None:
    desk.answers = [silent, good]
    desk.build()
    first, second = desk.calls
    assert (first.conversation.resume, second.conversation.resume) == (False, True)
    assert first.conversation.session_id == second.conversation.session_id
    assert "[draft-written]" in second.prompt


def test_a_repair_is_told_every_rule_that_failed_with_its_message(desk: Desk) -> None:
    desk.answers = [incomplete, good]
    desk.build()
    for rule, message in [("summary-sections-missing", "## Key Results"), ("summary-section-unknown", "Results")]:
        assert f"[{rule}]" in desk.calls[1].prompt
        assert message in desk.calls[1].prompt


def test_attempts_are_bounded_and_nothing_is_published_when_they_are_used_up(desk: Desk) -> None:
    desk.answers = [incomplete]
    with pytest.raises(WorkFailed, match="failed after 3 attempts: summary-sections-missing"):
        desk.build()
    assert len(desk.calls) == 3
    assert not desk.run.summary("01_literature_survey").exists()
    assert list(desk.run.history("01").glob("0*")) == []


def test_after_a_failure_the_next_run_tries_again_in_the_same_conversation(desk: Desk) -> None:
    desk.answers = [silent, silent, silent, good]
    with pytest.raises(WorkFailed):
        desk.build()
    desk.build()
    assert len({call.conversation.session_id for call in desk.calls}) == 1
    assert desk.summary()


def test_a_passing_error_is_waited_out_longer_each_time_or_as_long_as_was_asked(desk: Desk) -> None:
    busy = partial(ended, outcome=CallOutcome.RETRYABLE, reason="overloaded")
    desk.answers = [busy, partial(busy, retry_after_s=42.0), good]
    desk.build()
    assert desk.waits == [3.0, 42.0]


def test_an_outage_uses_up_no_attempt_however_often_the_service_is_asked(desk: Desk) -> None:
    away = partial(ended, outcome=CallOutcome.RETRYABLE, reason="overloaded")
    desk.answers = [away] * 6 + [silent, away, silent, good]
    desk.build()
    assert desk.waits == [3.0, 6.0, 12.0, 24.0, 48.0, 96.0, 3.0]
    assert desk.summary()


def test_a_service_that_stays_away_ends_the_stage_for_that_reason_after_the_time_allowed(desk: Desk) -> None:
    desk.answers = [partial(ended, outcome=CallOutcome.RETRYABLE, reason="overloaded")]
    with pytest.raises(WorkFailed, match=r"the agent's service was away for 1\d\d minutes \(overloaded\)") as failed:
        desk.build()
    assert "no attempt was used up" in failed.value.hint
    assert 7200 <= sum(desk.waits) < 7200 + 900


def test_an_agent_that_left_no_draft_is_quoted(desk: Desk) -> None:
    desk.answers = [partial(ended, text="I could not find the folder.")]
    with pytest.raises(WorkFailed, match="last words: I could not find the folder"):
        desk.build()


@pytest.mark.parametrize("outcome", [CallOutcome.AUTH, CallOutcome.CONFIG, CallOutcome.BUDGET])
def test_what_no_further_attempt_can_cure_ends_at_once(desk: Desk, outcome: CallOutcome) -> None:
    desk.answers = [partial(ended, outcome=outcome, reason="no")]
    with pytest.raises(WorkFailed, match="failed: no"):
        desk.build()
    assert len(desk.calls) == 1


def test_a_lost_conversation_is_followed_by_exactly_one_fresh_one_with_the_full_prompt(desk: Desk) -> None:
    lost = partial(ended, outcome=CallOutcome.SESSION_LOST, reason="no conversation found")
    desk.answers = [silent, lost, good]
    desk.build()
    old, tried, fresh = desk.calls
    assert tried.conversation.session_id == old.conversation.session_id
    assert fresh.conversation.session_id != old.conversation.session_id
    assert fresh.conversation.resume is False
    assert "Does it help?" in fresh.prompt


def test_a_second_lost_conversation_is_not_followed_by_another_fresh_one(desk: Desk) -> None:
    desk.answers = [silent, partial(ended, outcome=CallOutcome.SESSION_LOST, reason="lost")]
    with pytest.raises(WorkFailed):
        desk.build()
    assert len({call.conversation.session_id for call in desk.calls}) == 2


def without_memory(*answers: Answer) -> Answer:
    """A CLI that cannot continue a conversation; each start gets the next answer, the last one repeats."""
    left = list(answers)

    def answer(call: AgentCall) -> AgentResult:
        if call.conversation.resume:
            return ended(call, CallOutcome.SESSION_LOST, "this CLI cannot continue a conversation")
        return (left.pop(0) if len(left) > 1 else left[0])(call)

    return answer


def test_an_outage_uses_up_no_attempt_of_a_cli_that_cannot_continue_a_conversation(desk: Desk) -> None:
    away = partial(ended, outcome=CallOutcome.RETRYABLE, reason="429")
    desk.answers = [without_memory(*[away] * 6, silent, good)]
    desk.build()
    assert desk.waits == [3.0, 6.0, 12.0, 24.0, 48.0, 96.0]
    assert desk.summary()


def test_a_service_that_stays_away_ends_the_stage_of_a_cli_that_cannot_continue_too(desk: Desk) -> None:
    desk.answers = [without_memory(partial(ended, outcome=CallOutcome.RETRYABLE, reason="429"))]
    with pytest.raises(WorkFailed, match=r"the agent's service was away for 1\d\d minutes \(429\)"):
        desk.build()


def test_a_cli_that_cannot_continue_a_conversation_has_all_its_attempts_and_is_told_what_failed(desk: Desk) -> None:
    desk.answers = [without_memory(incomplete)]
    with pytest.raises(WorkFailed, match="failed after 5 attempts: summary-sections-missing"):
        desk.build()
    starts = [call for call in desk.calls if not call.conversation.resume]
    assert ["summary-sections-missing" in call.prompt for call in starts] == [False, True, True]


def test_a_repair_that_met_an_outage_is_asked_for_again(desk: Desk) -> None:
    desk.answers = [incomplete, partial(ended, outcome=CallOutcome.RETRYABLE, reason="overloaded"), good]
    desk.build()
    assert "summary-sections-missing" in desk.calls[2].prompt


def test_an_interrupted_call_is_taken_up_again_in_its_conversation_and_costs_no_attempt(desk: Desk) -> None:
    def stopped(call: AgentCall) -> AgentResult:
        raise Interrupted("stopped", hint="again")

    desk.answers = [stopped, stopped, stopped, stopped, good]
    for _ in range(4):
        with pytest.raises(Interrupted):
            desk.build()
    desk.build()
    assert len({call.conversation.session_id for call in desk.calls}) == 1
    assert desk.calls[-1].conversation.resume


def test_a_finished_call_whose_checks_were_cut_off_is_not_called_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_loss(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("flagstone.drafting.promotion.promote", power_loss)
        with pytest.raises(KeyboardInterrupt):
            desk.build()
    desk.build()
    assert len(desk.calls) == 1
    assert desk.summary()


def test_feedback_resumes_the_conversation_with_exactly_those_words(desk: Desk) -> None:
    desk.build()
    desk.run.feedback("01").write_text("Narrow it to ONE claim ~~~~ please.\n")
    desk.answers = [partial(good, words="To write a narrow note.")]
    desk.build()
    assert "Narrow it to ONE claim ~~~~ please." in desk.calls[1].prompt
    assert desk.calls[1].conversation.session_id == desk.calls[0].conversation.session_id
    assert len(list(desk.run.history("01").glob("0*"))) == 2


def test_a_redo_starts_a_new_conversation_and_its_mark_moves_to_history(desk: Desk) -> None:
    desk.build()
    desk.run.redo("01").touch()
    desk.build()
    first, second = desk.calls
    assert first.conversation.session_id != second.conversation.session_id
    assert second.conversation.resume is False
    assert not desk.run.redo("01").exists()
    assert [path.name for path in desk.run.history("01").glob("redo-*")] == ["redo-0001"]


def test_files_approved_in_an_earlier_stage_are_put_back_and_the_agent_is_told(desk: Desk) -> None:
    desk.build()
    desk.approve()

    def meddles(call: AgentCall) -> AgentResult:
        (call.task.run_root / "workspace" / "notes" / "01.md").write_text("changed behind your back")
        return good(call)

    desk.answers = [meddles, good]
    desk.build("02")
    assert "[approved-files-untouched]" in desk.calls[-1].prompt
    assert (desk.run.workspace / "notes" / "01.md").read_text() == "To write a note.\n"


def test_a_prompt_carries_the_brief_the_approved_memory_and_the_handoff(desk: Desk) -> None:
    desk.answers = [partial(good, words="The unmistakable objective of stage one.")]
    desk.build()
    desk.approve()
    desk.build("02")
    prompt = desk.calls[-1].prompt
    assert prompt.count("The unmistakable objective of stage one.") == 1
    assert "Does it help?" in prompt
    assert "Handoff of stage 01" in prompt
    assert (desk.run.drafts("02") / "001" / "prompt.md").read_text() == prompt


def test_a_budget_that_is_used_up_starts_no_further_call(desk: Desk) -> None:
    desk.run.settings.write_text(desk.run.settings.read_text() + "budget: {usd: 0.3}\n")
    desk.answers = [silent]
    with pytest.raises(WorkFailed, match="budget of run attn is used up"):
        desk.build()
    assert len(desk.calls) == 2
    assert desk.calls[0].limits.cost_usd == pytest.approx(0.3)
    assert desk.calls[1].limits.cost_usd == pytest.approx(0.05)


def test_a_stage_has_a_budget_of_its_own(desk: Desk) -> None:
    desk.run.settings.write_text(desk.run.settings.read_text() + 'stages: {"01": {budget: {agent_calls: 1}}}\n')
    desk.answers = [silent]
    with pytest.raises(WorkFailed, match="budget of stage 01 is used up"):
        desk.build()
    assert len(desk.calls) == 1


def test_an_aborted_run_makes_no_further_attempt(desk: Desk) -> None:
    def aborts(call: AgentCall) -> AgentResult:
        (call.task.run_root / "aborted").write_text("enough")
        return ended(call)

    desk.answers = [aborts]
    with pytest.raises(Interrupted):
        desk.build()
    assert len(desk.calls) == 1


def test_a_stage_that_fails_leaves_the_indexes_as_they_were(desk: Desk) -> None:
    desk.build()
    before = {path.name: path.read_bytes() for path in desk.run.index("data").parent.glob("*.json")}

    def leaves_data(call: AgentCall) -> AgentResult:
        (call.task.run_root / "workspace" / "data" / "points.csv").write_text("a\n1\n")
        return ended(call)

    desk.approve()
    desk.answers = [leaves_data]
    with pytest.raises(WorkFailed):
        desk.build("02")
    assert {path.name: path.read_bytes() for path in desk.run.index("data").parent.glob("*.json")} == before


def test_an_agent_that_cannot_start_is_named_with_its_cure_before_an_attempt_is_made(desk: Desk) -> None:
    desk.trouble = ("there is no such program", "install it")
    with pytest.raises(FlagstoneError, match="no such program"):
        desk.build()
    assert desk.calls == []
    assert not (desk.run.drafts("01") / "001").exists()


def test_too_many_files_are_a_failure_with_the_cure(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flagstone.artifacts.before.FILES_LIMIT", 0)
    (desk.run.workspace / "notes" / "a.md").write_text("a")
    with pytest.raises(FlagstoneError, match="contains more than 0 files"):
        desk.build()
    turn = work.open_turn_of(desk.run, "01")
    assert turn and turn.failure["exit_code"] == 2 and "pack or remove" in turn.failure["hint"]
