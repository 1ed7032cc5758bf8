"""Whatever goes wrong on the API's side, the call ends in time and is called by its right name."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from desk import IMPATIENT, MODEL, Desk
from messages_api import Asked, Break, Breaks, Fails, MessagesApi, Page, Reply, Says, Tokens, use

from flagstone.agents.protocol import CallOutcome, Limits

ONCE = {**IMPATIENT, "retries": 0}


@pytest.mark.parametrize(
    ("failure", "outcome", "wait_s"),
    [
        (Fails(429, "slow down", {"retry-after": "1"}), CallOutcome.RETRYABLE, None),
        (Fails(429, "call back later", {"retry-after": "240"}), CallOutcome.RETRYABLE, 60.0),
        (Fails(500, "broken"), CallOutcome.RETRYABLE, None),
        (Fails(503, "away"), CallOutcome.RETRYABLE, None),
        (Fails(529, "overloaded"), CallOutcome.RETRYABLE, None),
        (Fails(529, "call back later", {"retry-after": "90"}), CallOutcome.RETRYABLE, 60.0),
        (Fails(503, "call back later", {"retry-after": "90"}), CallOutcome.RETRYABLE, 60.0),
        (Fails(401, "invalid x-api-key"), CallOutcome.AUTH, None),
        (Fails(403, "not allowed"), CallOutcome.AUTH, None),
        (Fails(400, "Your credit balance is too low"), CallOutcome.AUTH, None),
        (Fails(404, "model: some-model"), CallOutcome.CONFIG, None),
        (Fails(400, "prompt is too long: 300000 tokens > 200000 maximum"), CallOutcome.CONTEXT, None),
        (Fails(413, "request too large"), CallOutcome.CONTEXT, None),
    ],
    ids=lambda value: f"{value.status} {value.message}"[:30] if isinstance(value, Fails) else "",
)
def test_an_error_of_the_api_is_called_by_its_name(
    desk: Desk, api: MessagesApi, failure: Fails, outcome: CallOutcome, wait_s: float | None
) -> None:
    api.plays(failure)
    result = desk.ask()
    assert (result.outcome, result.retry_after_s) == (outcome, wait_s), result.reason
    assert result.exit_code == 1


@pytest.mark.parametrize("status", [429, 500, 529])
def test_an_error_that_passes_is_not_noticed_outside(desk: Desk, api: MessagesApi, status: int) -> None:
    api.plays(Fails(status, headers={"retry-after": "0"}), Says("after all"))
    result = desk.ask()
    assert (result.outcome, result.text, len(api.asked)) == (CallOutcome.OK, "after all", 2)


@pytest.mark.parametrize("how", ["cut", "stall", "garbage"])
def test_a_broken_answer_is_asked_for_again(desk: Desk, api: MessagesApi, how: Break) -> None:
    api.plays(Breaks(how), Says("after all"))
    result = desk.ask()
    assert (result.outcome, result.text) == (CallOutcome.OK, "after all"), result


@pytest.mark.parametrize("how", ["cut", "stall", "garbage", "silence"])
def test_answers_that_always_break_are_worth_another_try_later(desk: Desk, api: MessagesApi, how: Break) -> None:
    api.plays(Breaks(how))
    result = desk.ask(options=ONCE, limits=Limits(40, 30, 5, None))
    assert result.outcome is CallOutcome.RETRYABLE, result


def test_an_empty_answer_is_no_success(desk: Desk, api: MessagesApi) -> None:
    api.plays(Says(""))
    assert desk.ask().outcome is CallOutcome.MALFORMED


def test_another_model_steps_in_where_one_is_named(desk: Desk, api: MessagesApi) -> None:
    def line(asked: Asked) -> Reply:
        return Fails(529, "overloaded") if asked.model == MODEL else Says("from the other one")

    api.plays(line)
    result = desk.ask(options={**IMPATIENT, "retries": 3, "fallback_model": "claude-haiku-5-5"})
    assert (result.outcome, result.text) == (CallOutcome.OK, "from the other one"), result
    assert [asked.model for asked in api.asked] == [MODEL, MODEL, MODEL, "claude-haiku-5-5"]


def test_turns_are_counted_and_limited(desk: Desk, api: MessagesApi) -> None:
    api.plays(use("Read", file_path="/etc/hostname"))
    result = desk.ask(limits=Limits(60, 30, 3, None))
    assert (result.outcome, len(api.asked)) == (CallOutcome.TURNS, 3)
    assert result.cost_usd is not None
    assert result.cost_usd > 0


def test_no_reply_is_asked_for_once_the_money_is_spent(desk: Desk, api: MessagesApi) -> None:
    reading = Says(tools=(("Read", {"file_path": "/etc/hostname"}),), tokens=Tokens(1000, 10_000))
    api.plays(reading)
    result = desk.ask(limits=Limits(60, 30, 20, 0.2))
    assert result.outcome is CallOutcome.BUDGET
    assert result.cost_usd is not None
    each = result.cost_usd / len(api.asked)
    assert 0.2 <= result.cost_usd < 0.2 + each


@pytest.mark.parametrize("variables", [{}, {"ANTHROPIC_API_KEY": ""}])
def test_without_a_login_nothing_is_asked(desk: Desk, api: MessagesApi, variables: Mapping[str, str]) -> None:
    del desk.environ["ANTHROPIC_API_KEY"]
    desk.environ |= variables
    assert desk.ask().outcome is CallOutcome.AUTH
    assert not api.asked


@pytest.mark.parametrize(
    ("page", "outcome"),
    [
        (Page(429, "Too many requests. Come back later."), CallOutcome.RETRYABLE),
        (Page(502, "<html><body>Bad gateway</body></html>"), CallOutcome.RETRYABLE),
        (Page(200, "<html><body>Please log in to the hotel's network</body></html>"), CallOutcome.RETRYABLE),
        (Page(200, ""), CallOutcome.RETRYABLE),
    ],
    ids=["429 in plain text", "502 as a page", "a page in place of an answer", "nothing"],
)
def test_what_a_proxy_says_in_place_of_the_api_is_an_outage(
    desk: Desk, api: MessagesApi, page: Page, outcome: CallOutcome
) -> None:
    api.plays(page)
    result = desk.ask(options=ONCE, limits=Limits(40, 30, 5, None))
    assert result.outcome is outcome, result


@pytest.mark.parametrize("number", ["KILL", "TERM", "INT"])
def test_a_cli_that_ends_before_its_result_has_failed_and_its_last_words_are_quoted(
    desk: Desk, api: MessagesApi, number: str
) -> None:
    api.plays(Says("now I see how", tools=(("Bash", {"command": f"kill -{number} $PPID; sleep 9"}),)), Says("done"))
    result = desk.ask(limits=Limits(40, 30, 5, None))
    assert result.outcome is CallOutcome.CRASHED, result
    assert "now I see how" in result.reason
