"""A work as a registry describes it, and how the values of an answer are read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flagstone.paper.citations.registries.answers import NoAnswer, RawAnswer
from flagstone.paper.citations.registries.matching import plain_text

LONGEST = 1_000  # characters of a field
ABSTRACT = 20_000
AUTHORS = 500


@dataclass(frozen=True)
class WorkRecord:
    """What a registry knows about a work. `retracted` says why it does not hold any more, if the record says so."""

    source: str
    identifier: str
    title: str
    authors: tuple[str, ...]  # `Family, Given`, or a name as a whole
    years: tuple[int, ...]  # the first one is rendered
    kind: str = "misc"
    titles: tuple[str, ...] = ()  # other ways to write the title
    venue: str = ""
    venues: tuple[str, ...] = ()  # other names of the venue
    volume: str = ""
    issue: str = ""
    pages: str = ""
    publisher: str = ""
    doi: str = ""
    abstract: str = ""
    retracted: str = ""

    @property
    def arxiv(self) -> str:
        """Its number at arXiv, without the version; '' if it has none."""
        return self.identifier.removeprefix("arXiv:").partition("v")[0] if self.source == "arxiv" else ""


def json_of(answer: RawAnswer) -> Any:
    """The JSON of an answer. Raises NoAnswer if it holds none."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise NoAnswer(f"{answer.source} answered with something that is no JSON") from None


def within(value: Any, *path: str | int) -> Any:
    """The value at a path of keys and positions. Returns None if there is none."""
    for step in path:
        if isinstance(step, str) and isinstance(value, dict):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and len(value) > step:
            value = value[step]
        else:
            return None
    return value


def text_at(value: Any, *path: str | int) -> str:
    """The text at a path, without HTML and line breaks; '' if there is none."""
    found = within(value, *path)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    return plain_text(found[: 4 * LONGEST])[:LONGEST] if isinstance(found, str) else ""


def rows_at(value: Any, *path: str | int) -> list[dict[str, Any]]:
    """The objects of the list at a path."""
    found = within(value, *path)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def abstract_of(text: object) -> str:
    return plain_text(text[: 2 * ABSTRACT])[:ABSTRACT] if isinstance(text, str) else ""


def years_of(values: Iterable[Any]) -> tuple[int, ...]:
    """The years among these values, each once."""
    found = (re.match(r"[12]\d{3}", str(value)) for value in values if value)
    return tuple(dict.fromkeys(int(match[0]) for match in found if match))


def person_name(family: str, given: str, whole: str) -> str:
    """`Family, Given`, or what is known of it."""
    return f"{family}, {given}" if family and given else family or whole or given
