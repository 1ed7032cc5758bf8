"""Renders a transcript for a person: texts in full, tool calls and their results shortened."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from flagstone.agents.claude import Stream, blocks, final_line, object_on, telling_input, text_of
from flagstone.text import one_line, printable_text

KNOWN = ("system", "assistant", "user", "result")
ARGUMENT_CHARACTERS = 300
RESULT_LINES, RESULT_CHARACTERS = 6, 160
TEXT_CHARACTERS = 20_000
RAW_CHARACTERS = 300


def is_of_claude(path: Path) -> bool:
    """Whether Claude Code wrote a transcript. What other agents print, only their drivers can read."""
    try:
        with open(path, "rb") as stream:
            first = next((event for raw in stream if (event := object_on(raw)) is not None), {})
    except OSError:
        return False
    return first.get("type") in ("system", "assistant")


def render(path: Path) -> Iterator[str]:
    """The lines to show of a transcript, read one at a time."""
    with open(path, "rb") as stream:
        stranger = Stream()
        for raw in stream:
            event = object_on(raw)
            if event is not None and event.get("type") in KNOWN:
                yield from of_event(event)
            elif event is not None and event.get("type") != "stream_event":  # parts of what comes whole later
                yield f"  {one_line(json.dumps(event, ensure_ascii=False), RAW_CHARACTERS)}"
            elif event is None:
                yield from (f"  {event.text}" for event in stranger.read(raw.rstrip(b"\n")))


def of_event(event: Mapping[str, Any]) -> Iterator[str]:
    """One event of Claude Code's."""
    match event.get("type"):
        case "system" if event.get("subtype") == "init":
            yield f"— session {one_line(str(event.get('session_id')))}, model {one_line(str(event.get('model')))}"
        case "system" if event.get("subtype") == "api_retry":
            reason = event.get("error_status") or event.get("error") or "no answer"
            yield f"  ! request repeated: {one_line(str(reason))}"
        case "assistant":
            for block in blocks(event):
                yield from of_block(block)
        case "user":
            for block in blocks(event):
                if block.get("type") == "tool_result":
                    yield from result_lines(text_of(block.get("content")), failed=bool(block.get("is_error")))
        case "result":
            yield ""
            yield f"— ended: {one_line(final_line(event))}"


def of_block(block: Mapping[str, Any]) -> Iterator[str]:
    match block.get("type"):
        case "text":
            yield ""
            yield from paragraphs(text_of(block.get("text")))
        case "thinking":
            thought = one_line(text_of(block.get("thinking")))
            if thought:
                yield f"  ~ {thought}"
        case "tool_use":
            name = one_line(str(block.get("name") or "unnamed"))
            yield f"  ▸ {name}: {one_line(telling_input(block.get('input')), ARGUMENT_CHARACTERS)}"


def paragraphs(text: str) -> Iterator[str]:
    """The lines of a text, up to a limit."""
    yield from printable_text(text[:TEXT_CHARACTERS]).splitlines()
    if len(text) > TEXT_CHARACTERS:
        yield f"[… {len(text) - TEXT_CHARACTERS} more characters]"


def result_lines(text: str, *, failed: bool) -> Iterator[str]:
    """The first lines of what a tool returned."""
    lines: Iterable[str] = text[: RESULT_LINES * 4 * RESULT_CHARACTERS].splitlines()
    shown = [one_line(line, RESULT_CHARACTERS) for line in lines if line.strip()][:RESULT_LINES]
    mark = "✗" if failed else "│"
    yield from (f"    {mark} {line}" for line in shown)
    left = text.count("\n") + 1 - len(shown)
    if shown and left > 0:
        yield f"    {mark} … {left} more lines"
