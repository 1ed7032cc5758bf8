"""What the demo agent's child process writes on its standard output: a JSON line for each event, then the result."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, cast

from flagstone.agents.protocol import CallOutcome, Event, EventKind

KINDS = ("session", "thinking", "text", "tool", "result", "final", "notice")


def utter(kind: EventKind, text: str) -> None:
    """Writes one event, at once and whole, because two threads may write."""
    write_line({"type": "event", "kind": kind, "text": text})


def deny(action: str, why: str) -> None:
    """One line about something that the system did not let the script do."""
    write_line({"type": "event", "kind": "notice", "text": f"{action} was refused: {why}", "denied": action})


def conclude(session_id: str, outcome: CallOutcome, text: str, **details: object) -> None:
    """The last line of a call. A script costs nothing, and says so."""
    spent = {"total_cost_usd": 0.0, "usage": {"input_tokens": 0, "output_tokens": 0}}
    said = {"outcome": outcome.value, "result": text, "session_id": session_id}
    write_line({"type": "result", **said, **spent, **details})


def write_line(value: Mapping[str, object]) -> None:
    content = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    while content:
        content = content[os.write(1, content) :]


def message_in(line: str) -> dict[str, Any] | None:
    """The message in a line; None if it holds none of ours."""
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def event_of(value: Mapping[str, Any]) -> Event | None:
    """The event that a line tells of."""
    if value.get("type") == "event" and value.get("kind") in KINDS:
        return Event.of(cast(EventKind, value["kind"]), str(value.get("text", "")))
    if value.get("type") == "result":
        return Event.of("final", str(value.get("result", "")))
    return None
