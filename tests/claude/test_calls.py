"""A call of the real Claude Code: what it may do, what comes back, and what is kept of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk import KEY, MODEL, Desk
from messages_api import MessagesApi, Says, Tokens, use

from flagstone.agents.claude.driver import VERSION
from flagstone.agents.protocol import CallOutcome, Usage
from flagstone.agents.registry import agent_named


def test_a_call_tells_what_the_model_said_and_used(desk: Desk, api: MessagesApi) -> None:
    api.plays(Says("all is well", tokens=Tokens(1200, 34, 56, 78)))
    result = desk.ask(prompt="what is the matter?")
    assert (result.outcome, result.text, result.exit_code, result.turns) == (CallOutcome.OK, "all is well", 0, 1)
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


def test_the_pinned_version_is_what_answers(desk: Desk) -> None:
    desk.ask()
    (init,) = [line for line in desk.transcript if line.get("subtype") == "init"]
    assert init["claude_code_version"] == VERSION


def test_the_transcript_holds_every_step_in_order(desk: Desk, api: MessagesApi) -> None:
    api.plays(use("Bash", command="echo six times seven"), Says("42"))
    desk.ask()
    kinds = [line["type"] for line in desk.transcript if line["type"] != "system"]
    assert kinds == ["assistant", "user", "assistant", "result"]
    assert "six times seven" in json.dumps(desk.transcript)
    assert [event.kind for event in desk.seen] == ["session", "tool", "result", "text", "final"]


def test_the_automatic_agent_is_claude_where_it_can_be_used(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    agent = agent_named("auto", {"command": str(program)})
    assert (agent.name, agent.fault()) == ("claude", None)


def test_a_long_prompt_arrives_whole(desk: Desk, api: MessagesApi) -> None:
    prompt = "– a line of a long prompt\n" * 20_000
    assert desk.ask(prompt=prompt).outcome is CallOutcome.OK
    assert prompt.strip() in api.asked[0].heard[-1]
