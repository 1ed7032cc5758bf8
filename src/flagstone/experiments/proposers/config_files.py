"""Values in YAML, JSON and TOML files, found by their keys and replaced with everything else left as it is."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import yaml

from flagstone.experiments.proposers.constants import Assignment, parameters_in

Parse = Callable[[str], Any]
PARSERS: Mapping[str, Parse] = {
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
    ".json": json.loads,
    ".toml": tomllib.loads,
}
# a quoted text, or one word
WORD = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\n]|'')*'|[^\s,#\[\]{}\"']+"
PROBE = 982451653  # stands in for a value to see where a file holds it


def is_config(path: str) -> bool:
    return PurePath(path).suffix.lower() in PARSERS


def values_in(path: str, content: bytes, keys: Sequence[str]) -> tuple[dict[str, Assignment], list[str]]:
    """Where the values of these dotted keys are, in characters, and in words everything that is wrong with them."""
    parse = PARSERS[PurePath(path).suffix.lower()]
    try:
        text = content.decode("utf-8")
        document = parse(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return {}, [f"cannot be read: {' '.join(str(error).split())[:200]}"]
    found = {key: found_at(key, text, document, parse) for key in keys}
    return found, [f"{key} {each.fault}" for key, each in found.items() if each.fault]


def found_at(key: str, text: str, document: Any, parse: Parse) -> Assignment:
    value = value_at(document, key)
    if value is None or isinstance(value, dict | list):
        return Assignment(key, None, 0, 0, "is not there, or is no number, text, true or false")
    probe, expected = number_text(PROBE), repr(with_value(document, key.split("."), PROBE))
    for start, end in places_of(key.rpartition(".")[2], text):
        try:
            is_it = repr(parse(text[:start] + probe + text[end:])) == expected
        except (yaml.YAMLError, ValueError):
            continue
        if is_it:
            return Assignment(key, as_number(value), start, end)
    return Assignment(key, None, 0, 0, "cannot be changed alone: it is an alias or anchor, or covers several words")


def places_of(name: str, text: str) -> Iterator[tuple[int, int]]:
    """Where a word follows this name, as far as one can see without reading the whole."""
    pattern = re.compile(rf"(?<![\w-])([\"']?){re.escape(name)}\1\s*[:=]\s*({WORD})")
    return (hit.span(2) for hit in pattern.finditer(text))


def value_at(document: Any, key: str) -> Any:
    for part in key.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def with_value(document: Any, path: Sequence[str], value: object) -> Any:
    """A copy of a document with another value at a path."""
    return {**document, path[0]: with_value(document[path[0]], path[1:], value)} if path else value


def as_number(value: Any) -> Any:
    """YAML takes 1e-3 for a text; programs that read it do not."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def set_values(content: bytes, values: Mapping[str, object], found: Mapping[str, Assignment]) -> bytes:
    """The file with other values; `found` says where they are."""
    text = content.decode("utf-8")
    for key in sorted(values, key=lambda each: found[each].start, reverse=True):
        place = found[key]
        text = text[: place.start] + number_text(values[key]) + text[place.end :]
    return text.encode("utf-8")


def number_text(value: object) -> str:
    """A value as all three forms read it. YAML takes 1e-05 for a text, but not 1.0e-05."""
    if isinstance(value, float):
        return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))
    return json.dumps(value, ensure_ascii=False)


def names_in(path: str, content: bytes) -> list[str]:
    """What can be searched in a file: constants of Python, and the dotted keys of numbers, words, true and false."""
    if not is_config(path):
        return list(parameters_in(content))
    try:
        return list(keys_below(PARSERS[PurePath(path).suffix.lower()](content.decode("utf-8")), ""))
    except (yaml.YAMLError, ValueError, RecursionError):
        return []


def keys_below(value: Any, above: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from keys_below(inner, f"{above}.{name}" if above else str(name))
    elif above and isinstance(value, bool | int | float | str):
        yield above
