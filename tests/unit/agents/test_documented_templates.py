"""The templates of the how-to are valid settings, and read what those CLIs print."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from flagstone import schemas
from flagstone.agents.protocol import AgentCall, CallOutcome, Conversation, Limits, Mode, Task
from flagstone.agents.template.driver import CommandAgent
from flagstone.agents.template.template import Template

CHECKOUT = Path(__file__).parents[3]
PAGE = CHECKOUT / "docs" / "how-to" / "use-another-agent.md"
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)]
# one short conversation of each, in the lines that their documentation tells of
CODEX = [
    {"type": "thread.started", "thread_id": "0199a213-81c0-7800-8aa1-bbab2a035a53"},
    {"type": "turn.started"},
    {"type": "item.completed", "item": {"id": "item_0", "type": "reasoning", "text": "**Looking**"}},
    {
        "type": "item.started",
        "item": {"id": "item_1", "type": "command_execution", "command": "ls", "status": "in_progress"},
    },
    {"type": "item.completed", "item": {"id": "item_2", "type": "agent_message", "text": "It is done."}},
    {"type": "turn.completed", "usage": {"input_tokens": 24763, "cached_input_tokens": 24448, "output_tokens": 122}},
]
GEMINI = [
    {"type": "init", "timestamp": "t", "session_id": "f0f9a213", "model": "some-model"},
    {"type": "message", "role": "user", "content": "do it", "timestamp": "t"},
    {"type": "message", "role": "assistant", "content": "Let me look.", "delta": True, "timestamp": "t"},
    {"type": "tool_use", "tool_name": "list_directory", "tool_id": "1", "parameters": {}, "timestamp": "t"},
    {"type": "tool_result", "tool_id": "1", "status": "success", "output": "a", "timestamp": "t"},
    {"type": "message", "role": "assistant", "content": "It is ", "delta": True, "timestamp": "t"},
    {"type": "message", "role": "assistant", "content": "done.", "delta": True, "timestamp": "t"},
    {"type": "result", "status": "success", "stats": {"input_tokens": 24763, "output_tokens": 122, "tool_calls": 1}},
]
PRINTED = {"codex": (CODEX, "0199a213-81c0-7800-8aa1-bbab2a035a53"), "gemini": (GEMINI, "f0f9a213")}


def template_of(program: str) -> dict[str, Any]:
    return next(block["command"] for block in BLOCKS if block["command"]["argv"][0] == program)


def call(tmp_path: Path, *, resume: bool = False) -> AgentCall:
    record = tmp_path / "drafts" / ("002" if resume else "001")
    record.mkdir(parents=True)
    return AgentCall(
        prompt="do it",
        conversation=Conversation("ours", resume),
        task=Task("01", "Literature Survey", 1, tmp_path, record / "draft.md"),
        mode=Mode.WORK,
        writable=(tmp_path,),
        model=None,
        limits=Limits(20, 20, 10, None),
        record_dir=record,
        options={},
        sandbox="off",
    )


@pytest.mark.parametrize("block", BLOCKS, ids=[block["command"]["argv"][0] for block in BLOCKS])
def test_every_template_is_valid_and_means_something(block: dict[str, Any]) -> None:
    assert schemas.problems(CHECKOUT / "schemas", "settings", block) == []
    template = Template.of(block["command"])
    assert template.argv and template.resume_argv and template.session and template.text
    assert any("{session}" in word for word in template.resume_argv)


@pytest.mark.parametrize("program", PRINTED)
def test_what_the_cli_prints_is_understood_and_its_conversation_goes_on(tmp_path: Path, program: str) -> None:
    printed, session = PRINTED[program]
    stand_in = tmp_path / program
    stand_in.write_text(
        f"#!{sys.executable}\nimport json, sys\nsys.stdin.read()\n"
        f"open({str(tmp_path / 'argv')!r}, 'w').write(json.dumps(sys.argv[1:]))\n"
        f"for event in {printed!r}: print(json.dumps(event))\n"
    )
    stand_in.chmod(0o755)
    named = template_of(program)
    own = {name: [str(stand_in), *named[name][1:]] for name in ("argv", "resume_argv")}
    agent = CommandAgent({**named, **own})
    result = agent.call(call(tmp_path), lambda _: None)
    assert (result.outcome, result.text, result.cost_usd) == (CallOutcome.OK, "It is done.", None)
    assert (result.usage.input_tokens, result.usage.output_tokens) == (24763, 122)
    assert agent.call(call(tmp_path, resume=True), lambda _: None).outcome is CallOutcome.OK
    assert session in json.loads((tmp_path / "argv").read_text())
