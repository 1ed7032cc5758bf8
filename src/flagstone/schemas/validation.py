"""Hold a value against a JSON Schema, and find the defaults that a schema gives."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.schemas.documents import read_yaml
from flagstone.schemas.sentences import Misfit, misfits_in


@cache
def schema_of(folder: Path, name: str) -> dict[str, Any]:
    """The schema `name` of a folder. A key of another schema (`$ref: other#/properties/key`) is filled in."""
    value = read_yaml(folder / f"{name}.schema.yaml")
    assert isinstance(value, dict)
    rows = {key: with_key_of_other(folder, row) for key, row in value.get("properties", {}).items()}
    return {**value, "properties": rows} if rows else value


def with_key_of_other(folder: Path, row: Any) -> Any:
    """A row of a schema, completed by the one that it names. What it says itself goes first."""
    other, is_other, key = str(row.get("$ref", "")).partition("#/properties/") if isinstance(row, dict) else ("",) * 3
    if not (other and is_other):
        return row
    return {**schema_of(folder, other)["properties"][key], **{name: row[name] for name in row if name != "$ref"}}


@cache
def defaults(folder: Path, name: str) -> Mapping[str, Any]:
    """The `default` of each key of a schema. Empty if the folder has no such schema."""
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
def validator() -> Any:
    """JSON Schema, for which .nan and .inf are no numbers: both would pass below and above every limit."""
    from jsonschema import Draft202012Validator, validators

    def is_number(checker: Any, value: object) -> bool:
        return Draft202012Validator.TYPE_CHECKER.is_type(value, "number") and math.isfinite(value)  # type: ignore[arg-type]

    checker = Draft202012Validator.TYPE_CHECKER.redefine("number", is_number)
    return validators.extend(Draft202012Validator, type_checker=checker)  # type: ignore[no-untyped-call]


def problems(folder: Path, name: str, value: object) -> list[str]:
    """Everything that is wrong with a value, one plain sentence each; empty when it is valid."""
    return problem_sentences(validator()(schema_of(folder, name)), value)


def misfits(schema: Mapping[str, object], value: object) -> list[str]:
    """What is wrong with a value, by a schema that is in no file."""
    return problem_sentences(validator()(dict(schema)), value)


def problem_sentences(validator: Any, value: object) -> list[str]:
    return list(dict.fromkeys(each.sentence for each in all_misfits(validator, value)))


def all_misfits(validator: Any, value: object) -> list[Misfit]:
    errors = sorted(validator.iter_errors(value), key=lambda error: [str(part) for part in error.path])
    return [each for error in errors for each in misfits_in(error)]


def placed_misfits(schema: Mapping[str, object], value: object) -> list[Misfit]:
    """What is wrong with a value, and at which of its keys."""
    return all_misfits(validator()(dict(schema)), value)


def check(folder: Path, name: str, value: object, where: str) -> None:
    """Raises one error that lists all problems of a value."""
    found = problems(folder, name, value)
    if found:
        listed = "; ".join(found[:20])
        raise FlagstoneError(f"{where}: {listed}", hint=f"correct {where}; every key is described in docs/reference")
