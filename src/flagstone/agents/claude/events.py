"""Reads a stream of JSON lines as Claude Code prints it: whatever comes, it is never an error."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flagstone.agents.protocol import Event, Usage, amount, valid_amount, valid_count

# the part of a tool's input that says most about what it does
TELLING = (
    "command",
    "file_path",
    "notebook_path",
    "path",
    "pattern",
    "query",
    "url",
    "description",
    "prompt",
)
SUBAGENTS = ("Task", "Agent")  # what they do is in the stream as well
ODD_CHARACTERS = 2000  # of the lines that are no events: a CLI that fails early may print plain text
COUNTED = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")


@dataclass
class Stream:
    """What the lines so far contain. `odd_text` is the end of those that are no events.

    Lines of another session than `session_id` are `strangers`, and nothing they say is believed: an agent can write
    to the output of its own CLI.
    """

    session_id: str = ""
    model: str = ""
    text: str = ""
    result: dict[str, Any] | None = None
    tools: Counter[str] = field(default_factory=Counter)
    tool_ids: set[str] = field(default_factory=set)
    running_tools: set[str] = field(default_factory=set)
    counted: dict[str, Counter[str]] = field(default_factory=dict)
    resets_at: float | None = None
    retries: int = 0
    events: int = 0
    odd_text: str = ""
    strangers: int = 0

    def read(self, line: bytes) -> list[Event]:
        """Takes one line and returns what a person would like to see of it."""
        if not line.strip():
            return []
        event = object_on(line)
        if event is None:
            words = line[:ODD_CHARACTERS].decode(errors="replace")
            self.odd_text = f"{self.odd_text}\n{words.strip()}"[-ODD_CHARACTERS:]
            return [Event.of("notice", words)]
        if self.is_stranger(event):
            self.strangers += 1
            return [Event.of("notice", f"ignored, because it is of another session: {line[:200]!r}")]
        self.events += 1
        self.session_id = self.session_id or str(event.get("session_id") or "")
        return [shown for shown in self.events_of(event) if shown.text]

    def is_stranger(self, event: Mapping[str, Any]) -> bool:
        named = event.get("session_id")
        # every result names its session; other lines may not
        is_silent = named is None and event.get("type") != "result"
        return bool(self.session_id) and not is_silent and named != self.session_id

    def events_of(self, event: dict[str, Any]) -> Iterator[Event]:
        match event.get("type"):
            case "system":
                yield from self.of_system(event)
            case "assistant":
                yield from self.of_assistant(event)
            case "user":
                for block in blocks(event):
                    if block.get("type") == "tool_result":
                        self.running_tools.discard(str(block.get("tool_use_id")))
                        yield Event.of("result", text_of(block.get("content")))
            case "rate_limit_event":
                self.note_limit(event.get("rate_limit_info"))
            case "stream_event":
                self.count_streamed(event)
            case "result":
                # several may come: a later one tells of more
                self.result = event
                yield Event.of("final", final_line(event))

    def of_system(self, event: dict[str, Any]) -> Iterator[Event]:
        match event.get("subtype"):
            case "init":
                self.model = str(event.get("model") or "")
                yield Event.of("session", f"session {self.session_id} model {self.model}")
            case "api_retry":
                self.retries += 1
                reason = event.get("error_status") or event.get("error") or "no answer"
                yield Event.of("notice", f"request repeated: {reason}")

    def note_limit(self, limit: object) -> None:
        """Remembers until when the account may not ask again."""
        if isinstance(limit, dict) and limit.get("status") == "rejected":
            self.resets_at = amount(limit.get("resetsAt"))

    def of_assistant(self, event: dict[str, Any]) -> Iterator[Event]:
        spoken = []
        for block in blocks(event):
            match block.get("type"):
                case "text":
                    spoken.append(text_of(block.get("text")))
                    yield Event.of("text", spoken[-1])
                case "thinking":
                    yield Event.of("thinking", text_of(block.get("thinking")))
                case "tool_use":
                    yield self.of_tool(block)
        if any(spoken):
            self.text = "\n".join(spoken)
        self.count(event.get("message"))

    def count_streamed(self, event: Mapping[str, Any]) -> None:
        """Adds the tokens of a reply once they are known: only the end of its stream tells how many it wrote."""
        part = event.get("event")
        if isinstance(part, dict) and part.get("type") == "message_delta":
            self.count({"id": event.get("api_message_id"), "usage": part.get("usage")})

    def count(self, message: object) -> None:
        """Adds the tokens of a reply; each of its blocks tells them again."""
        usage = message.get("usage") if isinstance(message, dict) else None
        if isinstance(message, dict) and isinstance(usage, dict):
            counted = self.counted.setdefault(str(message.get("id") or ""), Counter())
            counted |= Counter({name: valid_count(usage.get(name)) or 0 for name in COUNTED})

    @property
    def tokens_so_far(self) -> int:
        """The tokens of every reply so far, cached ones included; the result counts them exactly."""
        return sum(counted.total() for counted in self.counted.values())

    def of_tool(self, block: Mapping[str, Any]) -> Event:
        name, number = str(block.get("name") or "unnamed"), str(block.get("id") or "")
        if not number or number not in self.tool_ids:
            self.tools[name] += 1
            self.tool_ids.add(number)
            if number and name not in SUBAGENTS:
                self.running_tools.add(number)
        return Event.of("tool", f"{name}: {telling_input(block.get('input'))}")

    @property
    def last_text(self) -> str:
        """The final answer, or the last text if there is none."""
        said = self.result.get("result") if self.result else None
        return said if isinstance(said, str) and said else self.text

    @property
    def usage(self) -> Usage:
        """The tokens of this call, as its result counts them."""
        counts = self.result.get("usage") if self.result else None
        if not isinstance(counts, dict):
            return Usage()
        return Usage(
            input_tokens=valid_count(counts.get("input_tokens")),
            output_tokens=valid_count(counts.get("output_tokens")),
            cache_read_tokens=valid_count(counts.get("cache_read_input_tokens")),
            cache_write_tokens=valid_count(counts.get("cache_creation_input_tokens")),
        )

    @property
    def turns(self) -> int | None:
        return valid_count(self.result.get("num_turns")) if self.result else None

    @property
    def total_cost_usd(self) -> float | None:
        """The cost of the whole conversation so far."""
        return valid_amount(self.result.get("total_cost_usd")) if self.result else None

    @property
    def denials(self) -> tuple[str, ...]:
        """What the agent wanted to do and was not allowed to."""
        asked = self.result.get("permission_denials") if self.result else None
        return tuple(
            Event.of("tool", f"{denial.get('tool_name')}: {telling_input(denial.get('tool_input'))}").text
            for denial in (asked if isinstance(asked, list) else ())
            if isinstance(denial, dict)
        )


def object_on(line: bytes) -> dict[str, Any] | None:
    """The object on a line; None if there is none."""
    try:
        value = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def blocks(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of a message, whose content may be a string or a list of anything."""
    message = event.get("message")
    content = message.get("content") if isinstance(message, dict) else message
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def text_of(content: object) -> str:
    """The text of a content that may be a string, a list of parts, or something else."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(filter(None, (text_of(part) for part in content)))
    if isinstance(content, dict):
        return text_of(content.get("text") or content.get("content") or "")
    return ""


def telling_input(value: object) -> str:
    """The input of a tool in a few words."""
    if not isinstance(value, dict):
        return text_of(value)
    for name in TELLING:
        if isinstance(value.get(name), str):
            return str(value[name])
    return json.dumps(value, ensure_ascii=False, default=str)[:2000] if value else ""


def final_line(event: Mapping[str, Any]) -> str:
    cost = amount(event.get("total_cost_usd"))
    facts: tuple[tuple[str, object], ...] = (
        ("turns", valid_count(event.get("num_turns"))),
        ("cost_usd", None if cost is None else f"{cost:.4f}"),
        ("reason", event.get("terminal_reason")),
    )
    facts_text = " ".join(f"{name}={value}" for name, value in facts if value is not None)
    ending = "failed" if event.get("is_error") else str(event.get("subtype") or "ended")
    return f"{ending} {facts_text}"
