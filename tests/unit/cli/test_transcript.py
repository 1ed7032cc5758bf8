"""A transcript is shown so that a person can read it, and so that it cannot steer their terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flagstone.cli.looking.transcript import render


def lines(tmp_path: Path, *events: object) -> list[str]:
    path = tmp_path / "transcript.jsonl"
    content = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    path.write_bytes(b"".join(each + b"\n" for each in content))
    return list(render(path))


def says(*blocks: object) -> dict[str, object]:
    return {"type": "assistant", "message": {"content": list(blocks)}}


def test_what_was_said_is_shown_in_full_and_over_its_own_lines(tmp_path: Path) -> None:
    text = "First line.\n\nSecond " + "word " * 100
    assert lines(tmp_path, says({"type": "text", "text": text})) == ["", *text.splitlines()]


def test_a_tool_call_is_one_line_with_what_it_does(tmp_path: Path) -> None:
    shown = lines(tmp_path, says({"type": "tool_use", "name": "Bash", "input": {"command": "ls\n" + "x" * 900}}))
    assert len(shown) == 1
    assert shown[0].startswith("  ▸ Bash: ls xxx") and shown[0].endswith("…") and len(shown[0]) < 330


def test_a_result_is_cut_to_its_beginning_and_says_how_much_is_left(tmp_path: Path) -> None:
    block = {"type": "tool_result", "content": "\n".join(f"row {number}" for number in range(50))}
    shown = lines(tmp_path, {"type": "user", "message": {"content": [block]}})
    assert shown[0] == "    │ row 0"
    assert shown[-1] == "    │ … 44 more lines"
    assert len(shown) == 7


def test_a_failed_tool_is_marked(tmp_path: Path) -> None:
    block = {"type": "tool_result", "content": "no such file", "is_error": True}
    assert lines(tmp_path, {"type": "user", "message": {"content": [block]}}) == ["    ✗ no such file"]


def test_the_end_tells_turns_and_cost(tmp_path: Path) -> None:
    end = {"type": "result", "subtype": "success", "num_turns": 3, "total_cost_usd": 0.25}
    assert lines(tmp_path, end)[-1] == "— ended: success turns=3 cost_usd=0.2500"


@pytest.mark.parametrize("hostile", ["\x1b[2Jgone", "a\x1b]0;title\x07b", "\u202etxt.exe", "\x9b31mred"])
def test_nothing_in_it_reaches_the_terminal_as_a_command(tmp_path: Path, hostile: str) -> None:
    blocks = [
        {"type": "text", "text": hostile},
        {"type": "thinking", "thinking": hostile},
        {"type": "tool_use", "name": hostile, "input": {"command": hostile}},
    ]
    result = {"type": "user", "message": {"content": [{"type": "tool_result", "content": hostile}]}}
    start = {"type": "system", "subtype": "init", "session_id": hostile, "model": hostile}
    shown = "\n".join(lines(tmp_path, start, says(*blocks), result, hostile.encode(), {"other": hostile}))
    assert not any(mark in shown for mark in "\x1b\x07\x9b\u202e")


def test_other_agents_lines_and_half_lines_are_shown_as_they_are(tmp_path: Path) -> None:
    shown = lines(tmp_path, {"type": "item.completed", "item": {"text": "hi"}}, b'{"type":"assis')
    assert shown == ['  {"type": "item.completed", "item": {"text": "hi"}}', '  {"type":"assis']
