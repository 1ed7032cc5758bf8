"""How another coding CLI is called and read: its template from the settings, and the words it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flagstone.agents.protocol import AgentCall, Event, Usage, names, valid_amount, valid_count, value_at
from flagstone.records import decode_or_none

KEPT_TEXT = 2_000_000
Fact = TypeVar("Fact")


@dataclass(frozen=True)
class Template:
    """One CLI, as settings describe it. Paths such as `item.text` say where a fact is found in its JSON lines."""

    argv: tuple[str, ...]
    resume_argv: tuple[str, ...]
    stdin: bool
    session: str
    text: str
    text_when: Mapping[str, str]
    text_delta: str
    cost_usd: str
    input_tokens: str
    output_tokens: str
    state: tuple[str, ...]

    @classmethod
    def of(cls, options: Mapping[str, object]) -> Template:
        when = options.get("text_when")
        return cls(
            argv=names(options.get("argv")),
            resume_argv=names(options.get("resume_argv")),
            stdin=options.get("prompt", "stdin") == "stdin",
            session=str(options.get("session") or ""),
            text=str(options.get("text") or ""),
            text_when={str(key): str(value) for key, value in when.items()} if isinstance(when, Mapping) else {},
            text_delta=str(options.get("text_delta") or ""),
            cost_usd=str(options.get("cost_usd") or ""),
            input_tokens=str(options.get("input_tokens") or ""),
            output_tokens=str(options.get("output_tokens") or ""),
            state=names(options.get("state")),
        )

    def command(self, call: AgentCall, session: str) -> tuple[str, ...]:
        """The command line of one call: `session` is the CLI's own name of the conversation to go on with."""
        limit = call.limits.cost_usd
        values = {
            "run_root": str(call.task.run_root),
            "draft": str(call.task.draft),
            "model": call.model or "",
            "session": session or call.conversation.session_id,
            "cost_limit_usd": "" if limit is None else f"{limit:.6f}",
            "prompt": call.prompt,  # last: braces in a prompt are not placeholders
        }
        return tuple(fill_in(word, values) for word in (self.resume_argv if session else self.argv))

    def name_given(self, session_id: str) -> str:
        """The name of a new conversation, if we give the CLI one; '' if it makes its own."""
        is_told = not self.session and any("{session}" in word for word in self.argv)
        return session_id if is_told else ""


def fill_in(word: str, values: Mapping[str, str]) -> str:
    """Replaces each known `{name}`; other braces are the CLI's own."""
    for name, value in values.items():
        word = word.replace("{" + name + "}", value)
    return word


@dataclass
class AnswerText:
    """An answer in pieces, as far as it is kept."""

    parts: list[str] = field(default_factory=list)
    left: int = KEPT_TEXT

    def add(self, text: str) -> None:
        """One piece more; each costs what it is long, and the whole has its limit."""
        if self.left > 0:
            self.parts.append(text[: self.left])
            self.left -= len(text)


@dataclass
class OutputReader:
    """What the lines of a CLI contain so far. The last value of each fact wins."""

    template: Template
    session: str = ""
    answer: AnswerText = field(default_factory=AnswerText)
    cost_usd: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    trouble: str = ""
    has_objects: bool = False
    goes_on: bool = False

    def read(self, line: bytes) -> Event | None:
        """Takes one line; returns what a person would like to see of it."""
        value = object_on(line)
        text = line.decode("utf-8", "replace").rstrip("\n")
        if value is None or not self.template.text:
            self.keep(text)
        if value is None:
            return Event.of("text", text) if text.strip() else None
        return self.take(value)

    def take(self, value: Mapping[str, Any]) -> Event | None:
        """Takes one object."""
        template = self.template
        if not self.has_objects and template.text:
            self.answer = AnswerText()  # what came before the first object was no answer
        self.has_objects = True
        self.session = str(value_at(value, template.session) or self.session)
        self.cost_usd = first(valid_amount(value_at(value, template.cost_usd)), self.cost_usd)
        self.input_tokens = first(valid_count(value_at(value, template.input_tokens)), self.input_tokens)
        self.output_tokens = first(valid_count(value_at(value, template.output_tokens)), self.output_tokens)
        found = value_at(value, template.text) if self.is_text(value) else None
        if isinstance(found, str) and found:
            return self.answer_event(found, is_delta=bool(value_at(value, template.text_delta)))
        self.goes_on = False
        trouble = value_at(value, "error.message") or (value.get("type") == "error" and value.get("message"))
        self.trouble = trouble if isinstance(trouble, str) else self.trouble
        kind = value_at(value, "item.type") or value_at(value, "tool_name") or value.get("type")
        return Event.of("tool", str(kind)) if kind else None

    def answer_event(self, text: str, *, is_delta: bool) -> Event:
        """An answer, or one more piece of the current one."""
        if not (is_delta and self.goes_on):
            self.answer = AnswerText()
        self.answer.add(text)
        self.goes_on = is_delta
        return Event.of("text", text)

    def finish(self) -> None:
        """Reads the output as a whole if it was one object over several lines."""
        whole_output = None if self.has_objects else object_on(self.text.encode("utf-8", "replace"))
        if whole_output is not None:
            self.take(whole_output)

    def keep(self, text: str) -> None:
        """Plain words are the answer, unless objects tell it."""
        if not (self.has_objects and self.template.text):
            self.answer.add(f"\n{text}" if self.answer.parts else text)

    def is_text(self, value: Mapping[str, Any]) -> bool:
        return all(str(value_at(value, path)) == wanted for path, wanted in self.template.text_when.items())

    @property
    def text(self) -> str:
        return "".join(self.answer.parts)

    @property
    def usage(self) -> Usage:
        return Usage(self.input_tokens, self.output_tokens)


def object_on(line: bytes) -> dict[str, Any] | None:
    # most lines of most programs are words
    return decode_or_none(line, dict[str, Any]) if line.lstrip().startswith(b"{") else None


def first(new: Fact, old: Fact) -> Fact:
    return old if new is None else new
