"""Where the seed of a training comes from: an argument, a variable of the environment, or a constant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from flagstone.setup.programs.options import plain_name
from flagstone.setup.programs.program import Program
from flagstone.setup.project_finding import ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.syntax import called_name, calls, keyword, last_name

SEEDERS = {"manual_seed", "manual_seed_all", "seed_everything", "set_seed", "PRNGKey", "default_rng", "set_random_seed"}
SEEDS = re.compile(r"seed|random_state|PRNGKey|default_rng")
HELD = re.compile(r"^.*?\b(seed)[\"']?\]?\s*[:=]\s*\d+", re.MULTILINE | re.IGNORECASE)
FIXED_NOTE = "The number will not vary from run to run; `noise` will be off."
NO_SEED_NOTE = "No seed was found: unless the program draws numbers of its own, the number will not vary."


def seed_finding(tree: ProjectTree, program: Program) -> ProjectFinding:
    for option in sorted(program.defaults.values(), key=lambda each: (len(each.name), each.name)):
        if re.fullmatch(r"(random_|manual_|rng_)?seed|random_state|seed_everything", plain_name(option.name)):
            return ProjectFinding("seed", {"argument": option.name}, "certain", (option.where,))
    for path in program.python_files:
        if found := re.search(r"environ(\.get\(|\[)\s*[\"'](SEED)[\"']", tree.text(path)):
            where = tree.place(path, found.start())
            return ProjectFinding("seed", {"variable": "SEED"}, "certain", (where,))
    for find in (constant_seed, held_seed):  # a number in the call itself is surer than one that is held somewhere
        for path in program.python_files:
            if where := find(tree, path):
                return ProjectFinding("seed", {"constant": where}, "likely", (where,), (), FIXED_NOTE)
    return ProjectFinding("seed", None, "none", (), (), NO_SEED_NOTE if program.entry else "")


def constant_seed(tree: ProjectTree, path: str) -> str:
    """Where a file sets a seed whose number stands in the call."""
    for call, seed in seed_settings(tree, path):
        if any(isinstance(node, ast.Constant) and isinstance(node.value, int) for node in ast.walk(seed)):
            return f"{path}:{call.lineno}"
    return ""


def held_seed(tree: ProjectTree, path: str) -> str:
    """Where a file writes down the number that it later sets as its seed, as in `{"seed": 42}`."""
    found = HELD.search(tree.text(path)) if next(seed_settings(tree, path), None) else None
    return tree.place(path, found.start(1)) if found else ""


def seed_settings(tree: ProjectTree, path: str) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Each call that sets a seed, and the expression that it is given."""
    syntax = tree.syntax(path) if SEEDS.search(tree.text(path)) else None
    for call in calls(syntax) if syntax else ():
        name = called_name(call)
        seed = keyword(call, "random_state") or keyword(call, "seed")
        if last_name(name) in SEEDERS or name in ("random.seed", "np.random.seed", "numpy.random.seed"):
            seed = call.args[0] if call.args else seed
        if seed is not None:
            yield call, seed
