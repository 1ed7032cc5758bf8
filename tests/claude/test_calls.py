"""A call of the real Claude Code: what it may do, what comes back, and what is kept of it."""

from __future__ import annotations

from desk import MODEL, Desk
from messages_api import MessagesApi, Says, Tokens

from flagstone.agents.protocol import Outcome, Usage


def test_a_call_tells_what_the_model_said_and_used(desk: Desk, api: MessagesApi) -> None:
    api.plays(Says("all is well", tokens=Tokens(1200, 34, 56, 78)))
    result = desk.ask(prompt="what is the matter?")
    assert (result.outcome, result.text, result.exit_code, result.turns) == (Outcome.OK, "all is well", 0, 1)
    assert result.usage == Usage(1200, 34, 56, 78)
    assert result.cost_usd is not None
    assert result.cost_usd > 0
    assert result.session_id == desk.session_id
    assert [event.kind for event in desk.seen] == ["session", "text", "final"]
    (asked,) = api.asked
    assert asked.model == MODEL
    assert "what is the matter?" in asked.heard[-1]


def test_the_model_is_the_only_thing_the_cli_calls(desk: Desk, api: MessagesApi) -> None:
    desk.ask()
    assert (len(api.asked), api.unknown) == (1, [])
