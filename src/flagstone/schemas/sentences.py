"""What is wrong with a value, said in plain sentences with the nearest key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flagstone.errors import suggestion
from flagstone.plugins import plugin_names

KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping of keys to values",
    "array": "a list",
    "null": "empty",
}


@dataclass(frozen=True)
class Misfit:
    """What is wrong at one place of a value. `key` is a key that should not be there."""

    place: tuple[str | int, ...]
    start: str
    end: str = ""
    key: str = ""

    @property
    def keys(self) -> tuple[str | int, ...]:
        return (*self.place, self.key) if self.key else self.place

    @property
    def problem(self) -> str:
        """The problem alone, for whoever says in another way where it is."""
        return f"{self.start}{self.end}"

    @property
    def sentence(self) -> str:
        where = ".".join(map(str, self.place))
        return f"{self.start}{f' in {where}' if where else ''}{self.end}"


def misfits_in(error: Any) -> Iterator[Misfit]:
    """One JSON Schema error in the user's words. None if the name that the schema lacks is a plug-in's."""
    place, text = tuple(error.absolute_path), short_text(error.instance)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in error.instance:
            if key not in known and not is_plugin(error.schema, key):
                yield Misfit(place, f"unknown key {short_text(key)}", suggestion_text(str(key), known), str(key))
    elif error.validator == "required":
        for key in error.validator_value:
            if key not in error.instance:
                yield Misfit(place, f"missing key {key!r}")
    elif error.validator == "enum" and not is_plugin(error.schema, error.instance):
        options = [*map(str, error.validator_value), *plugin_names(error.schema.get("x-plugins", ""))]
        close = suggestion_text(str(error.instance), options)
        yield Misfit(place, text, f" is not one of {', '.join(options)}{close}")
    elif error.validator == "type":
        kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        yield Misfit(place, text, f" should be {' or '.join(KINDS[kind] for kind in kinds)}")
    elif error.validator in ("anyOf", "oneOf"):
        for inner in errors_of_form(error):
            yield from misfits_in(inner)
        if not errors_of_form(error):
            yield Misfit(place, text, " has no allowed form")
    elif error.validator == "pattern":
        yield Misfit(place, text, f" {error.schema.get('x-says', 'has the wrong form')}")
    elif error.validator != "enum":
        yield Misfit(place, error.message.splitlines()[0][:200])


def is_plugin(schema: Mapping[str, Any], name: object) -> bool:
    """Whether a schema that has `x-plugins: KIND` admits a name, because a distribution adds something under it."""
    return "x-plugins" in schema and name in plugin_names(schema["x-plugins"])


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


def suggestion_text(word: str, known: Iterable[str]) -> str:
    found = suggestion(word, known)
    return f" ({found})" if found else ""


def short_text(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
