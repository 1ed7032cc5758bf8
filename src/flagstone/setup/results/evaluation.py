"""Where the number is computed, and whether that stands beside what may change."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flagstone.setup.programs import Program
from flagstone.setup.project_finding import ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.metric import metric_finding
from flagstone.setup.results.own_code import own_code
from flagstone.setup.results.protected_files import why_never

FUNCTION = re.compile(
    r"^(evaluate|eval|validate|validation|estimate_loss|test|compute_metrics|score|get_metrics)(_(?!.*(load|data|set$))|$)"
    r"|_(eval|evaluation|evaluate)$"
)


def evaluation_finding(tree: ProjectTree, program: Program) -> ProjectFinding:
    """The function that computes the number; a file of its own is preferred to one that trains as well."""
    own = own_code(tree, program)
    found = sorted(functions(tree, own), key=lambda each: is_shared(each[0], program))
    # a script without such a function computes the number where it names it
    found = found or [(path, None, line) for path, line in places_of_metric(tree, program) if path in own]
    if not found:
        return ProjectFinding("evaluation", None, "none", note="Nothing that evaluates was found.")
    path, name, line = found[0]
    shared = is_shared(path, program)
    note = f"{path} computes the number and may change: protect it, or measure with evaluate." if shared else ""
    value = {"file": path, "function": name, "shared": shared}
    return ProjectFinding("evaluation", value, "likely", (f"{path}:{line}",), note=note)


def is_shared(path: str, program: Program) -> bool:
    """Whether a file also holds what may change: only a file that is named after evaluation or data does not."""
    return path == program.entry or not why_never(path)


def places_of_metric(tree: ProjectTree, program: Program) -> Iterator[tuple[str, int]]:
    """The files and lines that name the metric; of a metric that only earlier runs tell of, the entry."""
    metric = metric_finding(tree, program)
    for place in (*metric.evidence, f"{program.entry}:1") if metric.value else ():
        path, _, line = place.rpartition(":")
        yield path, int(line)


def functions(tree: ProjectTree, paths: list[str]) -> Iterator[tuple[str, str | None, int]]:
    for path in paths:
        module = tree.syntax(path)
        for node in ast.walk(module) if module else ():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and FUNCTION.search(node.name):
                yield path, node.name, node.lineno
