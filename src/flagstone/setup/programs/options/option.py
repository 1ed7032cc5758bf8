"""An argument that a program takes, or a key of its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

# as in `allow:` of an experiment
OptionKind = Literal["integer", "number", "text", "boolean", "list", "words", "presence", "negatable", "any"]


@dataclass(frozen=True)
class ProgramOption:
    """`name` is as it is written, without leading dashes; `where` is path:line; `default` is None if there is none."""

    name: str
    default: Any
    where: str
    kind: OptionKind = "any"
    aliases: tuple[str, ...] = ()
    is_positional: bool = False
    is_required: bool = False


def kind_of(value: Any, declared: str = "") -> OptionKind:
    """How a value is written, from the type that was declared for it, or else from its default."""
    if declared in ("int", "float", "str", "bool"):
        kinds: dict[str, OptionKind] = {"int": "integer", "float": "number", "str": "text", "bool": "boolean"}
        return kinds[declared]
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    return "text" if isinstance(value, str) else "list" if isinstance(value, list | tuple) else "any"
