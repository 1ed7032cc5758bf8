"""Read YAML, whoever wrote it: bounded in size, depth and aliases, and without double keys."""

from __future__ import annotations

import math
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError

MAX_YAML_BYTES = 4_000_000
YAML_DEPTH = 100
YAML_VALUES = 1_000_000


def parse_yaml(text: str | bytes, where: str) -> Any:
    """The value of a YAML document; a syntax error names the line."""
    import yaml

    try:
        return yaml_value(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or str(error).split("\n")[0]
        raise FlagstoneError(
            f"{where}{line} is not readable YAML: {why}", hint=f"correct {where}, then run the same command again"
        ) from error


@lru_cache(maxsize=256)
def yaml_value(text: str | bytes) -> Any:
    """The value of a text, parsed once: a hundred runs pin the same defaults. It is shared, so nobody may change it."""
    loader = yaml_loader()(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        count_values(node, {})
        refuse_double_keys(node)
        return loader.construct_document(node)
    finally:
        loader.dispose()


def yaml_nodes(text: str) -> list[Any]:
    """The top node of each document of a text. Nothing is built from them."""
    loader = yaml_loader()(text)
    try:
        nodes = []
        while loader.check_node():
            nodes.append(loader.get_node())
            count_values(nodes[-1], {})
        return nodes
    finally:
        loader.dispose()


@cache
def yaml_loader() -> Any:
    """A loader that bounds the depth: without a bound PyYAML's C parser overflows the stack and kills the process."""
    import yaml

    class BoundedLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        depth = 0

        def descend_resolver(self, _parent: object, _index: object) -> None:
            self.depth += 1
            if self.depth > YAML_DEPTH:
                raise ValueError("nested too deeply")

        def ascend_resolver(self) -> None:
            self.depth -= 1

    return BoundedLoader


def count_values(node: Any, known: dict[int, float]) -> float:
    """How many values a node has if its aliases are written out, as every message about it would do."""
    if id(node) not in known:
        known[id(node)] = math.inf  # until it is counted: an alias inside its own anchor has no end
        children: Any = node.value if isinstance(node.value, list) else ()
        if children and isinstance(children[0], tuple):
            children = chain.from_iterable(children)
        known[id(node)] = 1 + sum(count_values(each, known) if isinstance(each.value, list) else 1 for each in children)
    if known[id(node)] > YAML_VALUES:
        raise ValueError("its aliases would expand to more than a million values")
    return known[id(node)]


def refuse_double_keys(top: Any) -> None:
    """Refuses a key that occurs twice in one mapping: YAML would silently take the last value."""
    import yaml

    rest, seen = [top], set()
    while rest:
        node = rest.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            rest += node.value
            continue
        keys = set()
        for key, value in node.value:
            rest += (key, value)
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)
            if name in keys:
                why = f"the key {key.value!r} occurs twice"
                raise yaml.constructor.ConstructorError(None, None, why, key.start_mark)
            keys.add(name)


def read_yaml(path: Path) -> Any:
    """The value of a YAML file, with its size bounded."""
    return parse_yaml(read_bounded(path), str(path))


def read_bounded(path: Path) -> bytes:
    """What is in a file of settings. Refuses one that is far larger than any such file."""
    try:
        with open(path, "rb") as stream:
            content = stream.read(MAX_YAML_BYTES + 1)
    except OSError as error:
        raise FlagstoneError(
            f"cannot read {path}: {error.strerror or error}",
            hint="restore the file or make it readable, then run the same command again",
        ) from error
    if len(content) > MAX_YAML_BYTES:
        raise FlagstoneError(
            f"{path} is larger than {MAX_YAML_BYTES // 1_000_000} MB",
            hint="this file is for settings only; move data elsewhere",
        )
    return content
