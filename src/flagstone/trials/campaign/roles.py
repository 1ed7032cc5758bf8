"""The roles of a campaign's agent: how far each may go, and the form of what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flagstone.agents import Mode

WORDS: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": 4000}
IDEA_NAME = "^[a-z][a-z0-9_]{1,39}$"


def answer_of(**properties: Mapping[str, Any]) -> Mapping[str, object]:
    """A closed object, all of whose keys must be there."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": dict(properties),
    }


def list_of(item: Mapping[str, Any], least: int, most: int) -> Mapping[str, Any]:
    return {"type": "array", "items": item, "minItems": least, "maxItems": most}


IDEA = answer_of(
    name={"type": "string", "pattern": IDEA_NAME},
    title={**WORDS, "maxLength": 120},
    mechanism=WORDS,
    prediction=WORDS,
    failure_mode=WORDS,
    cheapest_test=WORDS,
)
REVIEW = answer_of(
    lines={"type": "integer", "minimum": 0}, is_novel={"type": "boolean"}, is_testable={"type": "boolean"}, why=WORDS
)


@dataclass(frozen=True)
class Role:
    """What one role may do. A role with a reply only answers; its answer has that form."""

    name: str
    mode: Mode
    reply: Mapping[str, object] | None = None


INNOVATOR = Role("innovator", Mode.JUDGE, answer_of(ideas=list_of(IDEA, 3, 3)))
REVIEWER = Role(
    "reviewer",
    Mode.JUDGE,
    answer_of(reviews=list_of(REVIEW, 3, 3), choice={"type": "integer", "minimum": 0, "maximum": 3}, why=WORDS),
)
REVISOR = Role(
    "revisor",
    Mode.JUDGE,
    answer_of(
        hypothesis=WORDS,
        control=WORDS,
        treatment=WORDS,
        switch=list_of({"type": "string", "pattern": "^[^\\x00-\\x1f{}]{1,100}$"}, 1, 6),
        steps=list_of(WORDS, 1, 40),
        expected_lines={"type": "integer", "minimum": 0},
    ),
)
IMPLEMENTER = Role("implementer", Mode.EDIT)
ANALYST = Role("analyst", Mode.JUDGE, answer_of(lesson=WORDS, next=WORDS))
