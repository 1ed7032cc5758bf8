"""Where the number is computed, and whether that stands beside what may change."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flagstone.setup.programs import Program
from flagstone.setup.project_finding import ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.own_code import own_code
from flagstone.setup.results.protected_files import why_never

FUNCTION = re.compile(
    r"^(evaluate|eval|validate|validation|estimate_loss|test|compute_metrics|score|get_metrics)(_(?!.*(load|data|set$))|$)"
    r"|_(eval|evaluation|evaluate)$"
)


def evaluation_finding(tree: ProjectTree, program: Program) -> ProjectFinding:
    """The function that computes the number; a file of its own is preferred to one that trains as well."""
    found = sorted(functions(tree, own_code(tree, program)), key=lambda each: is_shared(each[0], program))
    if not found:
        return ProjectFinding("evaluation", None, "none", note="No function that evaluates was found.")
    path, name, line = found[0]
    shared = is_shared(path, program)
    note = f"{path} computes the number and may change: protect it, or measure with evaluate." if shared else ""
    value = {"file": path, "function": name, "shared": shared}
    return ProjectFinding("evaluation", value, "likely", (f"{path}:{line}",), note=note)


def is_shared(path: str, program: Program) -> bool:
    """Whether a file also holds what may change: only a file that is named after evaluation or data does not."""
    return path == program.entry or not why_never(path)


def functions(tree: ProjectTree, paths: list[str]) -> Iterator[tuple[str, str, int]]:
    for path in paths:
        module = tree.syntax(path)
        for node in ast.walk(module) if module else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and FUNCTION.search(node.name):
                yield path, node.name, node.lineno
