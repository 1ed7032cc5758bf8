"""The option of a program without which it saves nothing, such as `--save-model`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from flagstone.setup.programs import Program
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.code_calls import calls_in, last_name
from flagstone.setup.results.own_code import SOURCES


def find_saving_option(tree: ProjectTree, program: Program, place: str) -> str:
    """The option that the call at a place needs. Returns '' if a run saves anyhow, or the command has the option."""
    path = place.rpartition(":")[0]
    calls = calls_in(tree, path) if path.endswith(SOURCES) else []
    needed = {name for call in calls if call.place == place for each in call.conditions for name in flags_in(each)}
    given = {name.replace("-", "_") for name in program.arguments}
    for option in program.defaults.values():
        name = option.name.replace("-", "_")
        if option.default is False and name in needed - given:
            return option.name
    return ""


def flags_in(condition: str) -> Iterator[str]:
    """The names that have to be true: `save_model` in `args.save_model and rank == 0`."""
    try:
        test = ast.parse(condition, mode="eval").body
    except SyntaxError:  # it was cut off
        return
    parts = test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]
    yield from (last_name(part) for part in parts if isinstance(part, ast.Name | ast.Attribute))
