"""What the loop does for every way a call can end. That each is told apart: tests/unit/agents/test_endings.py."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest
from answering_desk import Answer, Desk, ended, good

from flagstone.agents.protocol import AgentCall, AgentResult, CallOutcome
from flagstone.drafting.outage import Outage, wait_after
from flagstone.drafting.work import Attempt
from flagstone.errors import FlagstoneError, Interrupted, Paused, WorkFailed
from flagstone.records import plain_value, seconds_of, write_record
from flagstone.settings import StageLimits
from flagstone.status import StageStatus, run_status

ENDS = {
    CallOutcome.AUTH: "log in to the agent again",
    CallOutcome.CONFIG: "correct the agent's settings",
    CallOutcome.BUDGET: "raise the budget",
    CallOutcome.UNCLEAN: "end these processes",
}
WAITS = (CallOutcome.RETRYABLE, CallOutcome.SESSION_BUSY)
FRESH = (CallOutcome.SESSION_LOST, CallOutcome.CONTEXT)
REPAIRED = (
    CallOutcome.TURNS,
    CallOutcome.SCHEMA,
    CallOutcome.CRASHED,
    CallOutcome.MALFORMED,
    CallOutcome.TIMEOUT,
    CallOutcome.SILENT,
)


def ends(outcome: CallOutcome, **more: object) -> Answer:
    return partial(ended, outcome=outcome, reason=f"it was {outcome.value}", **more)


def stage(desk: Desk) -> StageStatus:
    return run_status(desk.opened, desk.run.root).stages[0]


def conversations(desk: Desk) -> list[str]:
    return [call.conversation.session_id for call in desk.calls]


def test_every_ending_is_one_of_those_below() -> None:
    rows = {*ENDS, *WAITS, *FRESH, *REPAIRED, CallOutcome.OK, CallOutcome.INTERRUPTED}
    assert rows == set(CallOutcome)


@pytest.mark.parametrize("outcome", ENDS)
def test_what_only_a_person_can_cure_ends_at_once_and_names_the_cure(desk: Desk, outcome: CallOutcome) -> None:
    desk.answers = [ends(outcome), good]
    with pytest.raises(WorkFailed, match=f"it was {outcome.value}") as failed:
        desk.build()
    assert ENDS[outcome] in failed.value.hint
    assert (len(desk.calls), desk.waits) == (1, [])
    desk.build()  # once it is cured, the same command goes on in the same conversation
    assert len(set(conversations(desk))) == 1


@pytest.mark.parametrize("outcome", WAITS)
def test_what_passes_is_waited_for_and_tried_again_in_the_same_conversation(desk: Desk, outcome: CallOutcome) -> None:
    desk.answers = [ends(outcome), ends(outcome), good]
    desk.build()
    assert desk.waits == [3.0, 6.0]
    assert len(set(conversations(desk))) == 1


@pytest.mark.parametrize("outcome", FRESH)
def test_a_conversation_that_cannot_go_on_is_begun_anew_once_with_the_whole_prompt(
    desk: Desk, outcome: CallOutcome
) -> None:
    desk.answers = [ends(outcome), good]
    desk.build()
    old, new = desk.calls
    assert old.conversation.session_id != new.conversation.session_id
    assert not new.conversation.resume
    assert "Does it help?" in new.prompt
    assert desk.waits == []


@pytest.mark.parametrize("outcome", FRESH)
def test_one_that_is_lost_again_is_not_begun_a_third_time(desk: Desk, outcome: CallOutcome) -> None:
    desk.answers = [ends(outcome)]
    with pytest.raises(WorkFailed):
        desk.build()
    assert len(set(conversations(desk))) == 2


@pytest.mark.parametrize("outcome", REPAIRED)
def test_what_another_attempt_may_mend_goes_on_in_the_same_conversation(desk: Desk, outcome: CallOutcome) -> None:
    desk.answers = [ends(outcome), good]
    desk.build()
    assert len(set(conversations(desk))) == 1
    assert desk.calls[1].conversation.resume
    assert desk.waits == []


@pytest.mark.parametrize("outcome", REPAIRED)
def test_attempts_are_bounded_and_the_last_reason_is_said(desk: Desk, outcome: CallOutcome) -> None:
    desk.answers = [ends(outcome)]
    with pytest.raises(WorkFailed, match=f"failed after 3 attempts: it was {outcome.value}"):
        desk.build()
    assert len(desk.calls) == 3
    assert not desk.run.summary("01_literature_survey").exists()


def test_an_interruption_stops_the_stage_and_uses_up_no_attempt(desk: Desk) -> None:
    desk.answers = [ends(CallOutcome.INTERRUPTED)] * 4 + [good]
    for _ in range(4):
        with pytest.raises(Interrupted):
            desk.build()
    desk.build()
    assert len(set(conversations(desk))) == 1


def test_a_wait_that_was_asked_for_is_kept_to_the_second_however_long(desk: Desk) -> None:
    desk.answers = [ends(CallOutcome.RETRYABLE, retry_after_s=5 * 3600.0), good]
    desk.build()
    assert desk.waits == [5 * 3600.0]


def test_a_wait_of_days_pauses_the_stage_with_the_time_and_the_command(desk: Desk) -> None:
    desk.answers = [ends(CallOutcome.RETRYABLE, retry_after_s=50 * 3600.0), good]
    with pytest.raises(Paused, match=r"is paused until 20\d\d-\d\d-\d\d \d\d:\d\d: it was retryable") as paused:
        desk.build()
    assert (paused.value.exit_code, len(desk.calls), desk.waits) == (0, 1, [])
    assert paused.value.hint == f"no attempt was used up; continue after that time: flagstone run {desk.run.name}"
    assert stage(desk).state == "paused"
    desk.build()
    assert desk.waits == [], "whoever runs it again need not wait"


def test_waits_that_the_service_asks_for_again_and_again_end_in_a_pause(desk: Desk) -> None:
    desk.answers = [ends(CallOutcome.RETRYABLE, retry_after_s=3600.0)]
    with pytest.raises(Paused):
        desk.build()
    assert desk.waits == [3600.0] * 8


@pytest.mark.parametrize(
    ("outcome", "asked_s", "words"),
    [
        (CallOutcome.RETRYABLE, None, r"waiting for the API since \d\d:\d\d: it was retryable"),
        (CallOutcome.SESSION_BUSY, None, r"waiting for another call since \d\d:\d\d: it was session_busy"),
        (CallOutcome.RETRYABLE, 60.0, r"waiting for the API since \d\d:\d\d: it was retryable"),
        (CallOutcome.RETRYABLE, 61.0, r"waiting until \d\d:\d\d: it was retryable"),
    ],
)
def test_status_and_log_say_what_is_waited_for(
    desk: Desk, outcome: CallOutcome, asked_s: float | None, words: str
) -> None:
    seen: list[StageStatus] = []
    desk.sleep = lambda _: seen.append(stage(desk))
    away = ends(outcome, retry_after_s=asked_s)
    desk.answers = [ends(CallOutcome.CRASHED), away, away, good]
    desk.build()
    assert [each.state for each in seen] == ["running"] * 2
    assert all(re.fullmatch(words, each.reason) for each in seen)
    assert len([line for line in desk.said if re.match(words, line) and "uses up no attempt" in line]) == 2


def test_a_wait_began_with_the_first_attempt_that_met_the_outage(tmp_path: Path) -> None:
    times = ("2026-01-01T10:00:00Z", "2026-01-01T10:05:00Z", "2026-01-01T10:20:00Z")
    outcomes = (CallOutcome.CRASHED, CallOutcome.RETRYABLE, CallOutcome.RETRYABLE)
    attempts = [Attempt(number, tmp_path / f"{number}") for number in (1, 2, 3)]
    for attempt, outcome, at in zip(attempts, outcomes, times, strict=True):
        attempt.folder.mkdir()
        result = AgentResult(outcome, "away", "", "s", retry_after_s=600.0, ended_at=at)
        write_record(attempt.result, plain_value(result))
    wait = wait_after(attempts, 0.0)
    assert wait is not None and (wait.since_s, wait.until_s) == (seconds_of(times[1]), seconds_of(times[2]) + 600)
    limits = StageLimits(**{**dict.fromkeys(StageLimits.__annotations__, 1), "window_s": 3600})
    assert Outage("stage", "run", limits).pause_s(wait, seconds_of(times[2]) + 400) == 200, (
        "a restart waits for the rest"
    )
    assert wait_after(attempts[:1], 0.0) is None


def test_denied_tools_are_no_failure_where_the_files_are_right(desk: Desk) -> None:
    def denied(call: AgentCall) -> AgentResult:
        good(call)
        return ended(call, denied=("Write: /etc/passwd",))

    desk.answers = [denied]
    desk.build()
    assert len(desk.calls) == 1
    assert desk.summary()


BROKEN = (
    WorkFailed("cannot write: no space left", hint="free some"),
    FlagstoneError("nothing here could keep it", hint="sandbox"),
)


@pytest.mark.parametrize("error", BROKEN, ids=["a full disk", "no sandbox"])
def test_an_error_of_ours_ends_the_stage_and_the_next_run_goes_on(desk: Desk, error: FlagstoneError) -> None:
    def raises(call: AgentCall) -> AgentResult:
        raise error

    desk.answers = [raises, good]
    with pytest.raises(FlagstoneError, match=error.problem):
        desk.build()
    desk.build()
    assert desk.summary()
    assert len(set(conversations(desk))) == 1
