"""Any coding CLI becomes an agent by a template: a stand-in that prints JSON lines is called for real."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from flagstone.agents.command import CommandAgent
from flagstone.agents.protocol import AgentCall, Conversation, Event, Limits, Mode, Outcome, Task

STAND_IN = """import json, os, sys
said = sys.stdin.read()
draft = sys.argv[sys.argv.index("--draft") + 1]
resumed = sys.argv[sys.argv.index("resume") + 1] if "resume" in sys.argv else ""
def tell(**event): print(json.dumps(event), flush=True)
tell(type="thread.started", thread_id=resumed or "own-17")
tell(type="item.completed", item={"type": "reasoning", "text": "not the answer"})
if "fail" in said:
    print(said, file=sys.stderr); sys.exit(3)
open(draft, "w").write(said + resumed)
tell(type="item.completed", item={"type": "agent_message", "text": "did it"})
tell(type="turn.completed", usage={"input_tokens": 12, "output_tokens": 5})
"""
OPTIONS = {
    "resume_argv": ["cli", "--draft", "{draft}", "resume", "{session}"],
    "session": "thread_id",
    "text": "item.text",
    "text_when": {"item.type": "agent_message"},
    "input_tokens": "usage.input_tokens",
    "output_tokens": "usage.output_tokens",
}


@pytest.fixture
def agent(tmp_path: Path) -> CommandAgent:
    program = tmp_path / "cli.py"
    program.write_text(STAND_IN)
    argv = [sys.executable, str(program), "--draft", "{draft}"]
    return CommandAgent({**OPTIONS, "argv": argv, "resume_argv": [*argv, "resume", "{session}"]})


def call(tmp_path: Path, prompt: str, *, resume: bool = False, attempt: int = 1) -> AgentCall:
    record = tmp_path / "drafts" / f"{attempt:03d}"
    record.mkdir(parents=True, exist_ok=True)
    return AgentCall(
        prompt=prompt,
        conversation=Conversation("ours-1", resume),
        task=Task("01", "Literature Survey", attempt, tmp_path, record / "draft.md"),
        mode=Mode.WORK,
        writable=(tmp_path,),
        model=None,
        limits=Limits(20, 20, 10, None),
        record_dir=record,
        options={},
    )


def ignore(_: Event) -> None:
    return None


def test_a_call_reads_text_session_and_tokens_and_an_unstated_cost_stays_unknown(
    agent: CommandAgent, tmp_path: Path
) -> None:
    events: list[Event] = []
    result = agent.call(call(tmp_path, "write it"), events.append)
    assert result.outcome is Outcome.OK
    assert result.text == "did it"
    assert (result.usage.input_tokens, result.usage.output_tokens) == (12, 5)
    assert result.cost_usd is None
    assert (tmp_path / "drafts" / "001" / "draft.md").read_text() == "write it"
    assert [event.text for event in events if event.kind == "text"] == ["did it"]


def test_a_conversation_goes_on_under_the_name_the_cli_gave_it(agent: CommandAgent, tmp_path: Path) -> None:
    agent.call(call(tmp_path, "first"), ignore)
    result = agent.call(call(tmp_path, "second", resume=True, attempt=2), ignore)
    assert result.outcome is Outcome.OK
    assert (tmp_path / "drafts" / "002" / "draft.md").read_text() == "secondown-17"


def test_a_conversation_that_was_never_named_is_lost_and_not_silently_started_anew(
    agent: CommandAgent, tmp_path: Path
) -> None:
    assert agent.call(call(tmp_path, "on", resume=True), ignore).outcome is Outcome.SESSION_LOST


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("fail: 429 too many requests", Outcome.RETRYABLE),
        ("fail: invalid api key", Outcome.AUTH),
        ("fail: no idea", Outcome.CRASHED),
    ],
)
def test_what_a_failing_cli_says_decides_what_its_end_means(
    agent: CommandAgent, tmp_path: Path, words: str, outcome: Outcome
) -> None:
    result = agent.call(call(tmp_path, words), ignore)
    assert (result.outcome, result.exit_code) == (outcome, 3)


def test_a_cli_that_prints_plain_text_is_read_as_it_is(tmp_path: Path) -> None:
    agent = CommandAgent({"argv": ["cat"]})
    result = agent.call(call(tmp_path, "two\nlines\n"), ignore)
    assert (result.outcome, result.text) == (Outcome.OK, "two\nlines")


def test_a_missing_program_is_named_with_its_cure() -> None:
    fault = CommandAgent({"argv": ["no-such-cli"]}).fault()
    assert fault is not None
    assert "no-such-cli" in fault[0]
