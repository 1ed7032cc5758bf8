"""Look into JSON and YAML documents: strict, small, and never expanded."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from flagstone.artifacts.formats.reading import Unreadable, decode_text, size_words
from flagstone.artifacts.formats.shape import Describer, Makers, MakerTally, Shape, printable_name, printable_names

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
    raise Unreadable(f"holds {name}, which JSON does not have: write null, and say why there is no number")


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
    """A YAML collection while its events stream by."""

    is_mapping: bool
    anchor: str | None
    values: int = 1
    children: int = 0
    keys: list[str] = field(default_factory=list)


@dataclass
class YamlReader:
    """Follows the events of a document, without ever building it."""

    anchors: dict[str, int] = field(default_factory=dict)
    open_nodes: list[Node] = field(default_factory=list)
    tops: list[Node | None] = field(default_factory=list)

    def start(self, is_mapping: bool, anchor: str | None) -> None:
        if len(self.open_nodes) >= YAML_DEPTH:
            raise Unreadable("nested too deeply")
        self.open_nodes.append(Node(is_mapping, anchor))

    def end(self) -> None:
        node = self.open_nodes.pop()
        self.add(node.values, node.anchor, None)
        if not self.open_nodes:
            self.tops.append(node)

    def add(self, values: int, anchor: str | None, text: str | None) -> None:
        if values > YAML_VALUES:
            raise Unreadable("aliases that would expand to more than a million values")
        if anchor:
            self.anchors[anchor] = values
        if not self.open_nodes:
            return
        parent = self.open_nodes[-1]
        if parent.is_mapping and parent.children % 2 == 0 and text is not None and len(parent.keys) < 100:
            parent.keys.append(printable_name(text))
        parent.children += 1
        parent.values += values

    def alias(self, anchor: str) -> None:
        if anchor not in self.anchors:  # also an alias inside its own anchor: endless when written out
            raise Unreadable("not valid YAML (an alias without its anchor, or within it)")
        self.add(self.anchors[anchor], None, None)


def yaml_shape(stream: BinaryIO, size: int) -> Shape:
    """Top-level keys or item count of the first document."""
    import yaml

    if size > YAML_LIMIT_BYTES:
        raise Unreadable(f"larger than {size_words(YAML_LIMIT_BYTES)}: write it as JSON lines or CSV")
    text = decode_text(stream.read(YAML_LIMIT_BYTES + 1))
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    reader = YamlReader()
    try:
        follow(yaml.parse(text, Loader=loader), reader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise Unreadable("not valid YAML" + (f" (line {mark.line + 1})" if mark else "")) from None
    top = next((node for node in reader.tops if node), None)
    makers = Makers(unnamed=1)
    if top is None:
        return Shape({"type": "scalar"}, 0, makers)
    if top.is_mapping:
        return Shape({"type": "object", "keys": top.keys}, 1 if top.children else 0, makers)
    return Shape({"type": "array", "item_count": top.children}, top.children, makers)


def follow(events: Iterable[object], reader: YamlReader) -> None:
    from yaml import events as kinds

    for event in events:
        if isinstance(event, kinds.AliasEvent):
            reader.alias(str(event.anchor))
        elif isinstance(event, kinds.ScalarEvent):
            reader.add(1, event.anchor, str(event.value))
        elif isinstance(event, kinds.MappingStartEvent | kinds.SequenceStartEvent):
            reader.start(isinstance(event, kinds.MappingStartEvent), event.anchor)
        elif isinstance(event, kinds.CollectionEndEvent):
            reader.end()
        elif isinstance(event, kinds.DocumentStartEvent):
            reader.anchors.clear()


DESCRIBERS: Mapping[str, Describer] = {
    "json": json_shape,
    "yaml": yaml_shape,
    "yml": yaml_shape,
}
