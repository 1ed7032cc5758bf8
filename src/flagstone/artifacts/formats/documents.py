"""Look into JSON and YAML documents: strict, small, and never expanded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from flagstone.artifacts.formats.reading import Unreadable, decode_text, size_words
from flagstone.artifacts.formats.shape import Makers, MakerTally, Shape, printable_names
from flagstone.schemas import yaml_nodes

JSON_LIMIT_BYTES = 16_000_000
YAML_LIMIT_BYTES = 1_000_000


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
    for record in value if isinstance(value, list) else [value]:
        tally.note(record)
    schema: dict[str, object] = {"type": "scalar"}
    if isinstance(value, list):
        schema = {"type": "array", "item_count": len(value), "item_keys": item_keys(value)}
    elif isinstance(value, dict):
        schema = {"type": "object", "keys": printable_names(sorted(value)), "metric_names": metric_names(value)}
    records = len(value) if isinstance(value, list) else int(isinstance(value, dict) and bool(value))
    return Shape(schema, records, tally.makers())


def item_keys(items: list[object]) -> list[str]:
    return printable_names(sorted({key for item in items[:100] if isinstance(item, dict) for key in item}))


def metric_names(value: Mapping[str, object]) -> list[str]:
    """The keys whose values are numbers, at the top and under `metrics`."""
    below = value.get("metrics")
    nested = (f"metrics.{name}" for name in number_keys(below)) if isinstance(below, dict) else ()
    return printable_names(sorted([*number_keys(value), *nested]))


def number_keys(value: Mapping[str, object]) -> Iterator[str]:
    return (name for name, held in value.items() if isinstance(held, int | float) and not isinstance(held, bool))


def yaml_shape(stream: BinaryIO, size: int) -> Shape:
    """Top-level keys or item count of the first mapping or list. No value of it is built."""
    import yaml

    if size > YAML_LIMIT_BYTES:
        raise Unreadable(f"larger than {size_words(YAML_LIMIT_BYTES)}: write it as JSON lines or CSV")
    try:
        nodes = yaml_nodes(decode_text(stream.read(YAML_LIMIT_BYTES + 1)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise Unreadable("not valid YAML" + (f" (line {mark.line + 1})" if mark else "")) from None
    except ValueError as error:
        raise Unreadable(f"YAML that cannot be used: {error}") from None
    top = next((node for node in nodes if not isinstance(node, yaml.ScalarNode)), None)
    count, makers = len(top.value) if top else 0, Makers(unnamed=1)
    if isinstance(top, yaml.MappingNode):
        keys = [key.value for key, _ in top.value if isinstance(key, yaml.ScalarNode)]
        return Shape({"type": "object", "keys": printable_names(keys)}, 1 if count else 0, makers)
    return Shape({"type": "array", "item_count": count} if top else {"type": "scalar"}, count, makers)
