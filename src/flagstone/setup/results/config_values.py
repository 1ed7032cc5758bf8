"""Which values of a configuration file an edit of it would not change, because the command line gives them."""

from __future__ import annotations

from collections.abc import Collection

from flagstone.setup.programs import Program
from flagstone.setup.programs.options import role_of


def overridden_keys(program: Program, path: str, arguments: Collection[str]) -> list[str]:
    """The keys of a configuration file that are arguments of the command as well."""
    return [key for key in keys_of(program, path) if key in arguments]


def is_idle(program: Program, path: str, arguments: Collection[str]) -> bool:
    """Whether every value of the file that a candidate might improve is an argument of the command."""
    rest = (key for key in keys_of(program, path) if key not in arguments)
    # what names a class begins with _; budget, data, evaluation and folders have to stay as they are
    has_more = any(role_of(key) in ("hyperparameter", "other") and not is_marker(key) for key in rest)
    return bool(overridden_keys(program, path, arguments)) and not has_more


def keys_of(program: Program, path: str) -> list[str]:
    return [key for key, option in program.defaults.items() if option.where.rpartition(":")[0] == path]


def is_marker(key: str) -> bool:
    return key.rpartition(".")[2].startswith("_")
