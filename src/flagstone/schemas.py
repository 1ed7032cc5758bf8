"""Load YAML, validate it against a JSON Schema, and explain every problem at once in plain sentences."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.plugins import plugin_names

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
    return parse_yaml(content, str(path))


@cache
def schema_of(folder: Path, name: str) -> dict[str, Any]:
    """The schema `name` of a folder, as written."""
    value = read_yaml(folder / f"{name}.schema.yaml")
    assert isinstance(value, dict)
    return value


@cache
def defaults(folder: Path, name: str) -> Mapping[str, Any]:
    """What holds without a word: the `default` of each key of a schema; nothing if the folder has no such schema."""
    if not (folder / f"{name}.schema.yaml").is_file():
        return {}
    schema = schema_of(folder, name)
    return defaults_in(schema, schema.get("$defs", {}))


def defaults_in(schema: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for key, row in schema.get("properties", {}).items():
        within = defaults_in(shared.get(str(row.get("$ref")).rpartition("/")[2], row), shared)
        if within or "default" in row:
            found[key] = row.get("default", within)
    return found


@cache
def validator_of(folder: Path, name: str) -> Any:
    return validator()(schema_of(folder, name))


@cache
def validator() -> Any:
    """JSON Schema, for which .nan and .inf are no numbers: both would pass below and above every limit."""
    from jsonschema import Draft202012Validator, validators

    def is_number(checker: Any, value: object) -> bool:
        return Draft202012Validator.TYPE_CHECKER.is_type(value, "number") and math.isfinite(value)  # type: ignore[arg-type]

    ours = Draft202012Validator.VALIDATORS

    def enum(checking: Any, allowed: Any, value: Any, schema: Any) -> Any:
        return (
            () if value not in allowed and is_plugin(schema, value) else ours["enum"](checking, allowed, value, schema)
        )

    def additional(checking: Any, allowed: Any, value: Any, schema: Any) -> Any:
        further = value.keys() - schema.get("properties", {}).keys() if isinstance(value, dict) else ()
        is_fine = further and all(is_plugin(schema, key) for key in further)
        return () if is_fine else ours["additionalProperties"](checking, allowed, value, schema)

    checker = Draft202012Validator.TYPE_CHECKER.redefine("number", is_number)
    rules = {"enum": enum, "additionalProperties": additional}
    return validators.extend(Draft202012Validator, rules, type_checker=checker)  # type: ignore[no-untyped-call]


def is_plugin(schema: Mapping[str, Any], name: object) -> bool:
    """Whether a schema that has `x-plugins: KIND` admits a name, because a distribution adds something under it."""
    return "x-plugins" in schema and name in plugin_names(schema["x-plugins"])


def problems(folder: Path, name: str, value: object) -> list[str]:
    """Everything that is wrong with a value, one plain sentence each; empty when it is valid."""
    return problem_sentences(validator_of(folder, name), value)


def misfits(schema: Mapping[str, object], value: object) -> list[str]:
    """What is wrong with a value, by a schema that is in no file."""
    return problem_sentences(validator()(dict(schema)), value)


def problem_sentences(validator: Any, value: object) -> list[str]:
    errors = sorted(validator.iter_errors(value), key=lambda error: [str(part) for part in error.path])
    return list(dict.fromkeys(sentence for error in errors for sentence in sentences(error)))


def check(folder: Path, name: str, value: object, where: str) -> None:
    """Raises one error that lists all problems of a value."""
    found = problems(folder, name, value)
    if found:
        listed = "; ".join(found[:20])
        raise FlagstoneError(f"{where}: {listed}", hint=f"correct {where}; every key is described in docs/reference")


def sentences(error: Any) -> Iterator[str]:
    """One JSON Schema error in the user's words."""
    place = place_text(error.absolute_path)
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        for key in unknown_keys(error):
            yield f"unknown key {key!r}{place}{suggestion_text(key, known)}"
    elif error.validator == "required":
        key = next((key for key in error.validator_value if key not in error.instance), "?")
        yield f"missing key {key!r}{place}"
    elif error.validator in ("enum", "const"):
        allowed = error.validator_value if error.validator == "enum" else [error.validator_value]
        options = [str(option) for option in allowed]
        options += plugin_names(error.schema["x-plugins"]) if "x-plugins" in error.schema else ()
        close = suggestion_text(str(error.instance), options)
        yield f"{error.instance!r}{place} is not one of {', '.join(options)}{close}"
    elif error.validator == "type":
        yield f"{short_text(error.instance)}{place} should be {kind_name(error.validator_value)}"
    elif error.validator in ("anyOf", "oneOf"):
        meant = [] if "x-says" in error.schema else errors_of_form(error)
        for inner in meant:
            yield from sentences(inner)
        if not meant:
            yield f"{short_text(error.instance)}{place} {error.schema.get('x-says', 'has no allowed form')}"
    elif error.validator == "pattern":
        yield f"{short_text(error.instance)}{place} {error.schema.get('x-says', 'has the wrong form')}"
    elif error.validator == "propertyNames":
        yield f"{error.message.splitlines()[0]}{place}"
    else:
        yield f"{error.message.splitlines()[0][:200]}{place}"


def errors_of_form(error: Any) -> list[Any]:
    """What is wrong with a value by the one of several forms that it is of the kind of; nothing if there is not one."""
    forms: dict[object, list[Any]] = {}
    for inner in error.context:
        forms.setdefault(inner.relative_schema_path[0], []).append(inner)
    fitting = [
        found
        for found in forms.values()
        if not any(each.validator in ("type", "const", "enum") and not each.relative_path for each in found)
    ]
    return fitting[0] if len(fitting) == 1 else []


def unknown_keys(error: Any) -> list[str]:
    import re

    patterns = list(error.schema.get("patternProperties", {}))
    known = error.schema.get("properties", {})
    return [
        str(key)
        for key in error.instance
        if key not in known
        and not any(re.search(pattern, str(key)) for pattern in patterns)
        and not is_plugin(error.schema, key)
    ]


def place_text(path: Iterable[object]) -> str:
    joined = ".".join(str(part) for part in path)
    return f" in {joined}" if joined else ""


def suggestion_text(word: str, known: list[str]) -> str:
    """A suggestion, where one of the known words is close."""
    found = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f" (did you mean {found[0]!r}?)" if found else ""


def kind_name(kind: object) -> str:
    names = {
        "string": "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "object": "a mapping of keys to values",
        "array": "a list",
        "null": "empty",
    }
    kinds = kind if isinstance(kind, list) else [kind]
    return " or ".join(names.get(str(each), str(each)) for each in kinds)


def short_text(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
