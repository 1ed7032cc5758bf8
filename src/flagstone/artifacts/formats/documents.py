"""Look into JSON and YAML documents: strict, small, and never expanded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from flagstone.artifacts.formats.reading import Unreadable, decode_text, size_words
from flagstone.artifacts.formats.shape import Describer, Makers, MakerTally, Shape, printable_names

JSON_LIMIT_BYTES = 16_000_000
YAML_LIMIT_BYTES = 1_000_000
YAML_DEPTH = 100
YAML_VALUES = 1_000_000  # after aliases are written out


def loads_strict(text: str) -> Any:
    """JSON as the standard has it: no NaN, no Infinity, no bottomless nesting."""
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise Unreadable(f"not valid JSON{where}") from None


def refuse_constant(name: str) -> None:
    raise Unreadable(f"contains {name}, which is not valid JSON: write null, and say why there is no number")


def json_shape(stream: BinaryIO, size: int) -> Shape:
    if size > JSON_LIMIT_BYTES:
        limit = size_words(JSON_LIMIT_BYTES)
        raise Unreadable(f"larger than {limit}: write many records as JSON lines or CSV, which are read in pieces")
    value = loads_strict(decode_text(stream.read(JSON_LIMIT_BYTES + 1)))
    tally = MakerTally()
    if isinstance(value, list):
        for item in value:
            tally.note(item)
        schema = {"type": "array", "item_count": len(value), "item_keys": item_keys(value)}
        return Shape(schema, len(value), tally.makers())
    tally.note(value)
    if isinstance(value, dict):
        schema = {"type": "object", "keys": printable_names(sorted(value)), "metric_names": metric_names(value)}
        return Shape(schema, 1 if value else 0, tally.makers())
    return Shape({"type": "scalar"}, 0, tally.makers())


def item_keys(items: list[object]) -> list[str]:
    keys: set[str] = set()
    for item in items[:100]:
        if isinstance(item, dict):
            keys.update(item)
    return printable_names(sorted(keys))


def metric_names(value: Mapping[str, object]) -> list[str]:
    """Which keys hold numbers, at the top and under `metrics`."""
    below = value.get("metrics")
    nested = (f"metrics.{name}" for name in number_keys(below)) if isinstance(below, dict) else ()
    return printable_names(sorted([*number_keys(value), *nested]))


def number_keys(value: Mapping[str, object]) -> Iterator[str]:
    return (name for name, held in value.items() if isinstance(held, int | float) and not isinstance(held, bool))


@dataclass
class Node:
    """A YAML collection while its events stream by: its children, None for all but plain texts, and their values."""

    is_mapping: bool = False
    anchor: str | None = None
    children: list[str | None] = field(default_factory=list)
    values: int = 1  # aliases written out


def yaml_shape(stream: BinaryIO, size: int) -> Shape:
    """Top-level keys or item count of the first document. It is followed event by event, and never built."""
    import yaml

    if size > YAML_LIMIT_BYTES:
        raise Unreadable(f"larger than {size_words(YAML_LIMIT_BYTES)}: write it as JSON lines or CSV")
    text = decode_text(stream.read(YAML_LIMIT_BYTES + 1))
    try:
        top = first_collection(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise Unreadable("not valid YAML" + (f" (line {mark.line + 1})" if mark else "")) from None
    makers = Makers(unnamed=1)
    if top is None:
        return Shape({"type": "scalar"}, 0, makers)
    if top.is_mapping:
        keys = [key for key in top.children[::2] if key is not None]
        return Shape({"type": "object", "keys": printable_names(keys)}, 1 if top.children else 0, makers)
    return Shape({"type": "array", "item_count": len(top.children)}, len(top.children), makers)


def first_collection(events: Iterable[Any]) -> Node | None:
    """The first mapping or list at the top; what is nested too deeply, or would expand without end, is refused."""
    from yaml import events as kinds

    nodes, anchors, first = [Node()], dict[str, int](), None
    for event in events:
        if isinstance(event, kinds.DocumentStartEvent):
            anchors.clear()
        elif isinstance(event, kinds.CollectionStartEvent):
            if len(nodes) > YAML_DEPTH:
                raise Unreadable("nested too deeply")
            nodes.append(Node(isinstance(event, kinds.MappingStartEvent), event.anchor))
        elif isinstance(event, kinds.CollectionEndEvent):
            node = nodes.pop()
            first = first or (node if len(nodes) == 1 else None)
            add(nodes[-1], None, node.values)
            anchors |= {node.anchor: node.values} if node.anchor else {}
        elif isinstance(event, kinds.AliasEvent):
            if event.anchor not in anchors:  # also an alias inside its own anchor: endless when written out
                raise Unreadable("not valid YAML (an alias without an anchor, or inside its own anchor)")
            add(nodes[-1], None, anchors[event.anchor])
        elif isinstance(event, kinds.ScalarEvent):
            add(nodes[-1], event.value, 1)
            anchors |= {event.anchor: 1} if event.anchor else {}
    return first


def add(node: Node, text: str | None, values: int) -> None:
    node.children.append(text)
    node.values += values
    if node.values > YAML_VALUES:
        raise Unreadable("aliases that would expand to more than a million values")


DESCRIBERS: Mapping[str, Describer] = {"json": json_shape, "yaml": yaml_shape, "yml": yaml_shape}
