"""What a profile asks of Claude Code: its tools, its flags, and variables that nobody else gets to see."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from stand_in import INIT, SUCCESS, StandIn

from flagstone.agents.claude.driver import ClaudeAgent
from flagstone.agents.claude.tools import split_rules
from flagstone.agents.protocol import AgentCall, CallOutcome

Asked = Callable[..., AgentCall]
SECRET = "correct horse battery"


def flags(cli: StandIn, asked: Asked, **options: Any) -> dict[str, list[str]]:
    """The words after each flag of a call."""
    call = asked(options=options)
    call.writable[0].mkdir()
    cli.answer(call)
    found: dict[str, list[str]] = {}
    name = ""
    for word in cli.argv:
        if word.startswith("--"):
            name = word
        found.setdefault(name, []).append(word)
    return {key: words[1:] for key, words in found.items() if key}


def test_a_tool_with_rules_is_allowed_by_these_alone(cli: StandIn, asked: Asked) -> None:
    found = flags(cli, asked, allowed_tools=["Bash(pytest *, ruff *)", "WebFetch(domain:example.org)"])
    assert found["--tools"] == ["Read,Edit,Write,Glob,Grep,Bash,WebFetch"]
    rules = ["Read", "Glob", "Grep", "Bash(pytest *)", "Bash(ruff *)", "WebFetch(domain:example.org)"]
    assert found["--allowedTools"][1:] == rules
    assert found["--allowedTools"][0].startswith("Edit(//")


def test_a_tool_that_is_named_is_added_and_takes_nothing_away(cli: StandIn, asked: Asked) -> None:
    found = flags(cli, asked, allowed_tools=["NotebookEdit"])
    assert found["--tools"] == ["Read,Edit,Write,Glob,Grep,Bash,NotebookEdit"]
    assert found["--allowedTools"][1:] == ["Read", "Glob", "Grep", "Bash", "NotebookEdit"]


@pytest.mark.parametrize("rule", ["Edit", "Edit(**)", "Write(//etc/**)"])
def test_which_files_it_may_edit_is_not_for_a_profile_to_say(cli: StandIn, asked: Asked, rule: str) -> None:
    found = flags(cli, asked, allowed_tools=[rule])
    assert rule not in found["--allowedTools"]


def test_what_is_disallowed_is_told_rule_by_rule(cli: StandIn, asked: Asked) -> None:
    found = flags(cli, asked, disallowed_tools=["Bash(rm:*,mv:*)", "WebSearch"])
    assert found["--disallowedTools"] == ["Bash(rm:*)", "Bash(mv:*)", "WebSearch"]


def test_rules_without_a_bracket_are_left_as_they_are() -> None:
    assert split_rules(["Bash", "Bash()", "Bash(a,b", " Read "]) == ["Bash", "Bash(a)", "Bash(b)", "Read"]


def test_effort_mode_settings_and_further_flags_stand_on_the_command_line(cli: StandIn, asked: Asked) -> None:
    settings = {"hooks": {}}
    options = {"effort": "low", "permission_mode": "acceptEdits", "settings": settings, "extra_flags": ["--betas", "x"]}
    found = flags(cli, asked, **options)
    assert (found["--effort"], found["--permission-mode"]) == (["low"], ["acceptEdits"])
    assert json.loads(found["--settings"][0]) == settings
    assert found["--betas"] == ["x"]


@pytest.mark.parametrize("flag", ["--dangerously-skip-permissions", "-p", "--model=x", "--allowed-tools", "--settings"])
def test_a_flag_of_ours_among_them_is_refused_by_name(cli: StandIn, asked: Asked, flag: str) -> None:
    result = cli.answer(asked(options={"extra_flags": [flag]}))
    assert result.outcome is CallOutcome.CONFIG
    assert result.reason == f"{flag.partition('=')[0]} cannot be an extra flag: every call sets it itself"


def test_variables_of_the_call_reach_it_and_their_values_reach_no_file(cli: StandIn, asked: Asked) -> None:
    told = {**SUCCESS, "result": f"it is {SECRET}"}
    cli.says(INIT, told, stderr=f"{SECRET}\n")
    call = asked(environment={"PLAIN_NAME": SECRET, "FEW": "1"})
    result = cli.answer(call)
    assert cli.env["PLAIN_NAME"] == SECRET
    assert (result.text, cli.env["FEW"]) == ("it is [redacted PLAIN_NAME]", "1")
    files = [path for path in call.record_dir.parent.rglob("*") if path.is_file()]
    assert files and not [path for path in files if SECRET.encode() in path.read_bytes()]


def test_a_key_among_them_is_a_login(cli: StandIn) -> None:
    del cli.environ["ANTHROPIC_API_KEY"]
    assert ClaudeAgent({}, cli.environ).fault() is not None
    assert ClaudeAgent({"variables": ["ANTHROPIC_API_KEY"]}, cli.environ).fault() is None
