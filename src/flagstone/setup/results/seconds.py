"""How many seconds one run may take: as long as earlier runs, or as the project's own budget says."""

from __future__ import annotations

import ast
import math
import re

from flagstone.setup.programs import Program
from flagstone.setup.project_finding import ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.numbers import earlier_seconds
from flagstone.setup.results.own_code import own_code
from flagstone.setup.results.path_globs import assignments

USUAL = 300
BUDGET = re.compile(
    r"^(time_budget|max_time|time_limit|max_seconds|budget_s|train_seconds)(_s|_sec|_seconds)?$", re.IGNORECASE
)


def seconds_finding(tree: ProjectTree, program: Program) -> ProjectFinding:
    """A constant in the code that bounds the time, or else the longest of the newest runs, or else 300."""
    for path in own_code(tree, program):
        module = tree.syntax(path)
        for name, (*_, node) in (assignments(module) if module else {}).items():
            if BUDGET.match(name) and isinstance(node, ast.Constant) and isinstance(node.value, int | float):
                note = f"{name} is the time for training: starting and evaluating a run come on top of it."
                return ProjectFinding("seconds", node.value, "likely", (f"{path}:{node.lineno}",), note=note)
    earlier = earlier_seconds(tree)
    if earlier:
        longest, place = max(earlier)
        return ProjectFinding("seconds", round_up(longest), "likely", (place,))
    return ProjectFinding("seconds", USUAL, "none", note="No earlier run was found.")


def round_up(seconds: float) -> int:
    """A little more than an earlier run took, so that one of the same length is not cut off."""
    step = 10 if seconds < 600 else 60
    return math.ceil(seconds * 1.2 / step) * step
