"""What a conversation has cost is counted once, to the end, also where a call of it was cut off."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from stand_in import INIT, SESSION, SUCCESS, StandIn, error

from flagstone.agents.protocol import AgentCall, AgentResult, Conversation, Limits, Outcome, Usage

Asked = Callable[..., AgentCall]
ON = Conversation(SESSION, resume=True)
MODELS = {
    "a": {"inputTokens": 100, "outputTokens": 20, "cacheReadInputTokens": 7, "cacheCreationInputTokens": 3},
    "b": {"inputTokens": 10, "outputTokens": 2},
}


def limited(usd: float | None, tokens: int | None = None) -> Limits:
    return Limits(20, 10, 40, usd, tokens)


def cut_off(cli: StandIn, asked: Asked, usd: float | None = 1.0, tokens: int | None = None) -> AgentResult:
    cli.says(INIT, then="exit 143")
    return cli.answer(asked(limits=limited(usd, tokens)))


def test_a_call_that_was_cut_off_cost_nobody_knows_what(cli: StandIn, asked: Asked) -> None:
    result = cut_off(cli, asked)
    assert (result.outcome, result.cost_usd, result.conversation_usd) == (Outcome.CRASHED, None, None)


def test_the_next_call_tells_both_and_may_spend_only_the_rest(cli: StandIn, asked: Asked) -> None:
    cut_off(cli, asked)
    cli.says(INIT, SUCCESS)
    result = cli.answer(asked(conversation=ON, limits=limited(1.0)))
    assert cli.argv[cli.argv.index("--max-budget-usd") + 1] == "0.750000"
    assert (result.cost_usd, result.conversation_usd) == (0.25, 0.25)


def test_what_a_cut_off_call_has_overspent_starts_no_further_call(cli: StandIn, asked: Asked) -> None:
    cut_off(cli, asked)
    cli.says(INIT, SUCCESS)
    result = cli.answer(asked(conversation=ON, limits=limited(0.2)))
    assert (result.outcome, result.cost_usd, result.conversation_usd) == (Outcome.BUDGET, 0.25, 0.25)
    assert cli.prompt == "/cost"  # the last thing that was asked, and no model heard it
    cli.says(INIT, {**SUCCESS, "total_cost_usd": 0.3})
    later = cli.answer(asked(conversation=ON, limits=limited(0.2)))
    assert later.cost_usd == pytest.approx(0.05)


def test_where_nothing_is_limited_nothing_is_asked(cli: StandIn, asked: Asked) -> None:
    cut_off(cli, asked, None)
    cli.says(INIT, SUCCESS)
    result = cli.answer(asked(conversation=ON, limits=limited(None), prompt="go on"))
    assert (cli.prompt, result.cost_usd) == ("go on", 0.25)


def test_a_cut_off_call_whose_cost_cannot_be_found_out_lets_no_other_start(cli: StandIn, asked: Asked) -> None:
    cut_off(cli, asked)
    cli.says(then="exit 1")
    result = cli.answer(asked(conversation=ON, limits=limited(1.0)))
    assert (result.outcome, "cannot be found out" in result.reason) == (Outcome.BUDGET, True)


def test_tokens_of_all_models_and_of_cut_off_calls_are_counted(cli: StandIn, asked: Asked) -> None:
    cli.says(INIT, {**SUCCESS, "modelUsage": {"b": MODELS["b"]}})
    assert cli.answer(asked()).usage == Usage(10, 2, 0, 0)
    cli.says(INIT, {**SUCCESS, "modelUsage": MODELS})
    assert cli.answer(asked(conversation=ON)).usage == Usage(100, 20, 7, 3)


def test_a_call_is_ended_at_the_reply_that_reaches_its_tokens(cli: StandIn, asked: Asked) -> None:
    replies = [
        {"type": "assistant", "message": {"id": f"m{number}", "content": [], "usage": {"input_tokens": 400}}}
        for number in (1, 1, 2, 3)
    ]
    cli.says(INIT, *replies, then="exec sleep 60")
    result = cli.answer(asked(limits=limited(None, 700)))
    assert (result.outcome, result.usage, result.cost_usd) == (Outcome.BUDGET, Usage(), None)
    assert "800 of 700" in result.reason


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
    cut_off(cli, asked, None)
    cli.says(INIT, told, then="exit 1")
    assert cli.answer(asked(conversation=ON, limits=limited(None))).conversation_usd is None
