"""Every way a call can end is told apart, in milliseconds, with a real process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stand_in import INIT, SUCCESS, StandIn, error

from flagstone.agents.claude.totals import NOTHING, Totals
from flagstone.agents.protocol import AgentCall, CallOutcome, Limits

Asked = Callable[..., AgentCall]
LIMIT = {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": 4_000_000_000}}
LOST = {**SUCCESS, "subtype": "error_during_execution", "is_error": True, "result": None, "terminal_reason": None}

# name, what is printed, stderr, how it ends, outcome, a word of the reason
ROWS: list[tuple[str, list[Any], str, str, CallOutcome, str]] = [
    ("success", [INIT, SUCCESS], "", "exit 0", CallOutcome.OK, "completed"),
    ("several results", [INIT, error(api_error_status=529), SUCCESS], "", "exit 0", CallOutcome.OK, "completed"),
    ("no init event", [SUCCESS], "", "exit 0", CallOutcome.OK, "completed"),
    ("429", [INIT, error(api_error_status=429, result="slow down")], "", "exit 1", CallOutcome.RETRYABLE, "slow down"),
    ("500", [INIT, error(api_error_status=500)], "", "exit 1", CallOutcome.RETRYABLE, "all done"),
    ("529", [INIT, error(api_error_status=529)], "", "exit 1", CallOutcome.RETRYABLE, ""),
    (
        "no network",
        [INIT, error(result="API Error: Connection error.")],
        "",
        "exit 1",
        CallOutcome.RETRYABLE,
        "Connection",
    ),
    ("usage limit", [INIT, LIMIT, error(result="usage limit")], "", "exit 1", CallOutcome.RETRYABLE, "usage"),
    ("401", [INIT, error(api_error_status=401, result="bad key")], "", "exit 1", CallOutcome.AUTH, "bad key"),
    ("403", [INIT, error(api_error_status=403)], "", "exit 1", CallOutcome.AUTH, ""),
    (
        "not logged in",
        [INIT, error(result="Not logged in · Please run /login")],
        "",
        "exit 1",
        CallOutcome.AUTH,
        "login",
    ),
    (
        "no credit",
        [INIT, error(api_error_status=400, result="Your credit balance is too low")],
        "",
        "exit 1",
        CallOutcome.AUTH,
        "credit",
    ),
    (
        "lost",
        [{**LOST, "errors": ["No conversation found with session ID: x"]}],
        "",
        "exit 1",
        CallOutcome.SESSION_LOST,
        "x",
    ),
    ("lost, on stderr", [], "No conversation found with session ID: x", "exit 1", CallOutcome.SESSION_LOST, "x"),
    ("busy", [], "Error: Session ID x is already in use.", "exit 1", CallOutcome.SESSION_BUSY, "in use"),
    ("turns", [INIT, error(subtype="error_max_turns")], "", "exit 1", CallOutcome.TURNS, "turns"),
    ("budget", [INIT, error(subtype="error_max_budget_usd")], "", "exit 1", CallOutcome.BUDGET, "money"),
    (
        "no structure in five attempts",
        [INIT, error(subtype="error_max_structured_output_retries")],
        "",
        "exit 1",
        CallOutcome.SCHEMA,
        "form",
    ),
    ("prompt too long", [INIT, error(terminal_reason="prompt_too_long")], "", "exit 1", CallOutcome.CONTEXT, ""),
    ("413", [INIT, error(api_error_status=413)], "", "exit 1", CallOutcome.CONTEXT, ""),
    (
        "unknown model",
        [INIT, error(api_error_status=404, result="no model x")],
        "",
        "exit 1",
        CallOutcome.CONFIG,
        "model x",
    ),
    ("refused by the flags", [], "error: unknown option '--frobnicate'", "exit 1", CallOutcome.CONFIG, "frobnicate"),
    ("left without a result", [INIT], "", "exit 0", CallOutcome.CRASHED, "before there was a result"),
    ("left without a word", [], "", "exit 0", CallOutcome.MALFORMED, "it printed nothing"),
    (
        "interrupted in a tool",
        [INIT, error(terminal_reason="aborted_tools")],
        "",
        "exit 0",
        CallOutcome.CRASHED,
        "not by us (aborted_tools)",
    ),
    ("killed", [INIT], "", "kill -9 $$", CallOutcome.CRASHED, "signal 9"),
    ("terminated from outside", [INIT], "", "exit 143", CallOutcome.CRASHED, "143"),
    ("gave up", [INIT], "out of memory", "exit 1", CallOutcome.CRASHED, "out of memory"),
    ("success, then a crash", [INIT, SUCCESS], "", "exit 1", CallOutcome.CRASHED, "exit code 1"),
    ("garbage", [b"%%%", b"\xff\xfe"], "", "exit 0", CallOutcome.MALFORMED, "its last words: %%%"),
    ("not objects", [b"[1]", b"7", b'"x"', b"null"], "", "exit 0", CallOutcome.MALFORMED, "its last words: [1] 7"),
    ("an outage in plain text", [b"API Error: 429 {too many}"], "", "exit 1", CallOutcome.RETRYABLE, "429"),
    ("an outage and exit 0", [b"HTTP 503: away"], "", "exit 0", CallOutcome.RETRYABLE, "503"),
    ("a number in garbage", [b"429 of 500 tests passed"[4:]], "", "exit 1", CallOutcome.MALFORMED, "of 500 tests"),
    ("errors, then nothing", [], "dyld: no such library", "exit 0", CallOutcome.MALFORMED, "no such library"),
    ("empty answer", [INIT, {**SUCCESS, "result": ""}], "", "exit 0", CallOutcome.MALFORMED, "empty"),
    ("not completed", [INIT, {**SUCCESS, "terminal_reason": "other"}], "", "exit 0", CallOutcome.MALFORMED, "other"),
    ("refusal", [INIT, error(result="unable to respond")], "", "exit 1", CallOutcome.MALFORMED, "unable"),
    ("half a line at the end", [INIT, b'{"type":"resul'], "", "exit 0", CallOutcome.CRASHED, "its last words: {"),
    ("hangs after its result", [INIT, SUCCESS], "", "exec sleep 20", CallOutcome.OK, "completed"),
]


@pytest.mark.parametrize(("name", "events", "stderr", "then", "outcome", "word"), ROWS, ids=[row[0] for row in ROWS])
def test_every_ending_is_told_apart(
    cli: StandIn, asked: Asked, name: str, events: list[Any], stderr: str, then: str, outcome: CallOutcome, word: str
) -> None:
    cli.says(*events, stderr=stderr, then=then)
    result = cli.answer(asked())
    assert (result.outcome, word in result.reason) == (outcome, True), result.reason


def test_taking_too_long_and_saying_nothing_are_told_apart(cli: StandIn, asked: Asked) -> None:
    cli.says(INIT, then="exec sleep 20")
    assert cli.answer(asked(limits=Limits(0.05, 10, 40, None))).outcome is CallOutcome.TIMEOUT
    assert cli.answer(asked(limits=Limits(10, 0.05, 40, None))).outcome is CallOutcome.SILENT


def test_an_answer_without_the_form_asked_for_is_no_success(cli: StandIn, asked: Asked) -> None:
    call = asked(reply_schema={"type": "object"})
    assert cli.answer(call).outcome is CallOutcome.SCHEMA
    cli.says(INIT, {**SUCCESS, "structured_output": {"verdict": "keep"}})
    result = cli.answer(call)
    assert (result.outcome, result.structured) == (CallOutcome.OK, {"verdict": "keep"})


@pytest.mark.parametrize(
    ("events", "wait_s"),
    [
        ([error(api_error_status=429, result="429 retry-after: 90")], 90),
        ([error(api_error_status=429, result='{"retry_after": 7.5}')], 7.5),
        # asked to wait for longer than the CLI is willing to, it gives up at once and does not say for how long
        ([error(api_error_status=429)], 60),
        ([{"type": "system", "subtype": "api_retry"}, error(api_error_status=429)], None),
        ([error(api_error_status=529)], 60),
        ([error(api_error_status=503)], 60),
        ([{"type": "system", "subtype": "api_retry"}, error(api_error_status=529)], None),
        ([error(api_error_status=500)], None),
        ([error(api_error_status=400, result="retry-after: 90")], None),
    ],
)
def test_the_wait_that_was_asked_for_is_passed_on(
    cli: StandIn, asked: Asked, events: list[Any], wait_s: float | None
) -> None:
    cli.says(INIT, *events, then="exit 1")
    assert cli.answer(asked()).retry_after_s == wait_s


def test_a_used_up_account_says_when_it_may_ask_again(cli: StandIn, asked: Asked) -> None:
    cli.says(INIT, LIMIT, error(api_error_status=429), then="exit 1")
    assert (cli.answer(asked()).retry_after_s or 0) > 1e8
    cli.says(INIT, error(result="Claude AI usage limit reached|1000000000"), then="exit 1")
    assert cli.answer(asked()).retry_after_s == 0


def test_a_missing_program_is_a_matter_of_settings(cli: StandIn, asked: Asked) -> None:
    cli.environ["PATH"] = "/nowhere"
    result = cli.answer(asked())
    assert result.outcome is CallOutcome.CONFIG
    assert "cannot start claude" in result.reason


def test_a_total_below_the_last_one_is_the_share_of_the_call_itself() -> None:
    assert Totals(1.5).since(Totals(1.0), NOTHING).cost_usd == 0.5
    assert Totals(0.2).since(Totals(1.0), NOTHING).cost_usd == 0.2
