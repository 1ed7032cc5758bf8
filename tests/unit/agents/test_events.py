"""Whatever a stream holds, it is shown in readable lines and never fails."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flagstone.agents.claude.events import Stream
from flagstone.agents.protocol import Event, Usage


def shown(*events: object) -> list[Event]:
    stream = Stream()
    return [event for line in events for event in stream.read(json.dumps(line).encode())]


def message(*content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "assistant", "message": {"content": list(content)}}


def test_a_tool_call_is_shown_with_what_it_does() -> None:
    call = {"type": "tool_use", "id": "1", "name": "Bash", "input": {"command": "python train.py\n  --seed 3"}}
    assert shown(message(call)) == [Event("tool", "Bash: python train.py --seed 3")]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"file_path": "/run/a.py", "content": "x"}, "Odd: /run/a.py"),
        ({"numbers": [1, 2]}, 'Odd: {"numbers": [1, 2]}'),
        ({}, "Odd:"),
        ("just text", "Odd: just text"),
        (None, "Odd:"),
    ],
)
def test_any_input_of_a_tool_can_be_shown(given: object, text: str) -> None:
    assert shown(message({"type": "tool_use", "name": "Odd", "input": given}))[0].text == text


def test_content_may_be_a_string_or_a_list() -> None:
    assert shown({"type": "assistant", "message": {"content": "hello"}}) == [Event("text", "hello")]
    assert shown(message({"type": "text", "text": "hello"})) == [Event("text", "hello")]
    result = {"type": "tool_result", "content": [{"type": "text", "text": "one"}, {"type": "image"}, "two"]}
    assert shown({"type": "user", "message": {"content": [result]}}) == [Event("result", "one two")]


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "assistant"},
        {"type": "assistant", "message": 7},
        {"type": "assistant", "message": {"content": [7, None, {"type": "text", "text": 7}]}},
        {"type": "user", "message": None},
        {"type": "system", "subtype": "something new"},
        {"type": "rate_limit_event", "rate_limit_info": 7},
        {"type": ["list"]},
        {"no": "type"},
        {},
    ],
)
def test_events_of_any_shape_are_passed_over(odd: dict[str, Any]) -> None:
    assert shown(odd) == []


@pytest.mark.parametrize("line", [b"[" * 100_000, b"\xff\xfe\x00", b"NaN", b"{half", b'"text"'])
def test_lines_that_are_no_events_are_counted_and_shown(line: bytes) -> None:
    stream = Stream()
    assert [event.kind for event in stream.read(line)] in (["notice"], [])
    assert (bool(stream.odd_text), stream.events) == (True, 0)


@pytest.mark.parametrize("result", [{"usage": 7}, {"usage": None, "permission_denials": 3}, {"num_turns": "x"}])
def test_a_result_of_odd_values_knows_nothing_rather_than_failing(result: dict[str, Any]) -> None:
    stream = Stream()
    stream.read(json.dumps({"type": "result", **result}).encode())
    assert (stream.usage, stream.turns, stream.total_cost_usd, stream.denials) == (Usage(), None, None, ())


def test_the_same_tool_call_told_twice_is_counted_once() -> None:
    stream = Stream()
    for number in ("a", "a", "b"):
        call = {"type": "tool_use", "id": number, "name": "Read", "input": {}}
        stream.read(json.dumps(message(call)).encode())
    assert stream.tools == {"Read": 2}


def test_the_last_words_stand_in_for_a_missing_answer() -> None:
    stream = Stream()
    stream.read(json.dumps(message({"type": "text", "text": "so far"})).encode())
    assert stream.last_text == "so far"


def test_an_event_is_one_short_line_that_cannot_steer_a_terminal() -> None:
    text = "\x1b[31mred\x1b[0m \x1b]0;title\x07a\r\nb\x00\u202ec" + "x" * 500
    line = Event.of("text", text).text
    assert line.startswith("red a b cxxx")
    assert len(line) == 200
    assert line.endswith("…")


def test_a_retry_is_noticed() -> None:
    retry = {"type": "system", "subtype": "api_retry", "error_status": 529}
    assert shown(retry) == [Event("notice", "request repeated: 529")]


def test_a_tool_runs_until_its_result_comes_and_what_a_subagent_does_is_no_tool() -> None:
    stream = Stream()

    def running_after(*events: object) -> set[str]:
        for event in events:
            stream.read(json.dumps(event).encode())
        return set(stream.running_tools)

    calls = [{"type": "tool_use", "id": name, "name": name, "input": {}} for name in ("Bash", "Read", "Task")]
    assert running_after(message(*calls)) == {"Bash", "Read"}
    assert running_after(message(calls[0])) == {"Bash", "Read"}, "each block is told again"
    assert running_after(result_of("Read")) == {"Bash"}
    assert running_after(result_of("Bash"), result_of("Task"), message({"type": "text", "text": "done"})) == set()


def result_of(call: str) -> dict[str, Any]:
    return {"type": "user", "message": {"content": [{"type": "tool_result", "tool_use_id": call, "content": "ok"}]}}
