"""What a conversation has cost is counted once, to the end, also where a call of it was cut off."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from stand_in import INIT, SESSION, SUCCESS, StandIn, error

from flagstone.agents.protocol import AgentCall, CallOutcome, Conversation, Limits, Usage

Asked = Callable[..., AgentCall]
ON = Conversation(SESSION, resume=True)
MODELS = {
    "a": {"inputTokens": 100, "outputTokens": 20, "cacheReadInputTokens": 7, "cacheCreationInputTokens": 3},
    "b": {"inputTokens": 10, "outputTokens": 2},
}


def limited(usd: float | None, tokens: int | None = None) -> Limits:
    return Limits(20, 10, 40, usd, tokens)


def saving(cost: float, *, then: str = "") -> str:
    """Shell by which the stand-in saves its totals as it ends: as the last line of the conversation."""
    state = {"type": "cost-state", "sessionId": SESSION, "totalCostUSD": cost, "modelUsage": MODELS}
    lines = f"""printf '%s\\n' '{{"type": "assistant"}}' '{json.dumps(state)}' {then}"""
    return f"mkdir -p $CLAUDE_CONFIG_DIR/projects/p; {{ {lines}; }} >> $CLAUDE_CONFIG_DIR/projects/p/{SESSION}.jsonl"


def test_what_a_killed_call_cost_nobody_knows(cli: StandIn, asked: Asked) -> None:
    cli.says(INIT, then="kill -9 $$")
    result = cli.answer(asked(limits=limited(1.0)))
    assert (result.outcome, result.cost_usd) == (CallOutcome.CRASHED, None)


def test_a_call_that_was_stopped_costs_what_the_cli_saved_and_the_next_one_its_own(cli: StandIn, asked: Asked) -> None:
    cli.says(INIT, then=f"{saving(0.1)}; exit 143")
    result = cli.answer(asked(limits=limited(1.0)))
    assert (result.outcome, result.cost_usd, result.usage) == (CallOutcome.CRASHED, 0.1, Usage(110, 22, 7, 3))
    cli.says(INIT, SUCCESS)
    later = cli.answer(asked(conversation=ON, limits=limited(1.0)))
    assert later.cost_usd == pytest.approx(0.15)


def test_totals_that_an_earlier_call_saved_say_nothing_of_a_killed_one(cli: StandIn, asked: Asked) -> None:
    more = """'{"type": "api-request"}'"""
    cli.says(INIT, then=f"{saving(0.1, then=more)}; kill -9 $$")
    assert cli.answer(asked(limits=limited(1.0))).cost_usd is None


def test_a_call_that_was_refused_before_it_began_cost_nothing(cli: StandIn, asked: Asked) -> None:
    cli.says(stderr="Error: Session ID is already in use.", then="exit 1")
    result = cli.answer(asked(limits=limited(1.0)))
    assert (result.outcome, result.cost_usd) == (CallOutcome.SESSION_BUSY, 0.0)


def test_lines_of_another_session_are_shown_and_never_believed(cli: StandIn, asked: Asked) -> None:
    """An agent can write to the output of its own CLI."""
    cli.says(INIT, {**SUCCESS, "session_id": "another"}, {**SUCCESS, "session_id": None}, then="exit 0")
    result = cli.answer(asked(limits=limited(1.0)))
    assert (result.outcome, result.cost_usd, result.text) == (CallOutcome.CRASHED, None, "")
    assert "ignored 2 lines of another session" in result.reason
    assert sum("another session" in event.text for event in cli.seen) == 2


def test_tokens_of_all_models_and_of_cut_off_calls_are_counted(cli: StandIn, asked: Asked) -> None:
    cli.says(INIT, {**SUCCESS, "modelUsage": {"b": MODELS["b"]}})
    assert cli.answer(asked()).usage == Usage(10, 2, 0, 0)
    cli.says(INIT, {**SUCCESS, "modelUsage": MODELS})
    assert cli.answer(asked(conversation=ON)).usage == Usage(100, 20, 7, 3)


def test_a_call_is_ended_at_the_reply_that_reaches_its_tokens(cli: StandIn, asked: Asked) -> None:
    replies = [
        {"type": "assistant", "message": {"id": f"m{number}", "content": [], "usage": {"input_tokens": 100}}}
        for number in (1, 1, 2, 3)
    ]
    end = {"type": "message_delta", "usage": {"output_tokens": 500}}
    cli.says(INIT, *replies, {"type": "stream_event", "event": end, "api_message_id": "m2"}, then="exec sleep 60")
    result = cli.answer(asked(limits=limited(None, 700)))
    assert (result.outcome, result.usage, result.cost_usd) == (CallOutcome.BUDGET, Usage(), None)
    assert "800 of 700" in result.reason
    assert "--include-partial-messages" in cli.argv


@pytest.mark.parametrize(
    "told",
    [
        error(api_error_status=401, total_cost_usd=0),
        {**SUCCESS, "subtype": "error_during_execution", "is_error": True, "total_cost_usd": 0, "result": None},
    ],
    ids=["not logged in", "lost"],
)
def test_a_call_that_never_got_to_the_conversation_tells_nothing_of_it(
    cli: StandIn, asked: Asked, told: dict[str, object]
) -> None:
    cli.says(INIT, SUCCESS)
    cli.answer(asked(limits=limited(None)))
    cli.says(INIT, told, then="exit 1")
    assert cli.answer(asked(conversation=ON, limits=limited(None))).cost_usd == 0
    cli.says(INIT, {**SUCCESS, "total_cost_usd": 0.3})
    assert cli.answer(asked(conversation=ON, limits=limited(None))).cost_usd == pytest.approx(0.05)
