"""Asks for a reply of a given form in words, and reads it, for a CLI that knows no forms itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flagstone import schemas

FENCED = re.compile(r"^```[a-zA-Z]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
LONGEST = 1_000_000


@dataclass(frozen=True)
class Reply:
    """A reply as a value, or what is wrong with it."""

    value: object = None
    fault: str = ""


def asking_for(schema: Mapping[str, object], prompt: str) -> str:
    """The prompt, with the form of its answer said in words."""
    form = json.dumps(schema, ensure_ascii=False, indent=1)
    asked = "Answer with one JSON object and nothing else. It has to satisfy this JSON Schema:"
    return f"{prompt.rstrip()}\n\n{asked}\n\n{form}\n"


def reply_in(text: str, schema: Mapping[str, object]) -> Reply:
    """The reply of the form asked for; of several the last one, because a model may think aloud first."""
    fault = "answered without any JSON"
    for candidate in candidates(text[-LONGEST:]):
        try:
            value = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        found = schemas.misfits(schema, value)
        if not found:
            return Reply(value)
        fault = f"answered in another form than was asked for: {'; '.join(found[:4])}"
    return Reply(fault=fault)


def candidates(text: str) -> Iterator[str]:
    """The parts of a text that may be a value, best guess first: all of it, a fenced part, from brace to brace."""
    yield text
    yield from reversed(FENCED.findall(text))
    first, last = text.find("{"), text.rfind("}")
    if 0 <= first < last:
        yield text[first : last + 1]
