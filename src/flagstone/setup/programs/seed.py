"""Where the seed of a training comes from: an argument, a variable of the environment, or a constant."""

from __future__ import annotations

import ast
import re

from flagstone.setup.programs.options import plain_name
from flagstone.setup.programs.program import Program
from flagstone.setup.programs.syntax import called_name, calls, keyword, last_name
from flagstone.setup.project_finding import ProjectFinding
from flagstone.setup.project_tree import ProjectTree

SEEDERS = {"manual_seed", "manual_seed_all", "seed_everything", "set_seed", "PRNGKey", "default_rng", "set_random_seed"}
SEEDS = re.compile(r"seed|random_state|PRNGKey|default_rng")
HELD = re.compile(r"^.*?\b(seed)[\"']?\]?\s*[:=]\s*\d+", re.MULTILINE | re.IGNORECASE)
FIXED_NOTE = "The number will not vary from run to run; `noise` will be off."


def seed_finding(tree: ProjectTree, program: Program) -> ProjectFinding:
    for option in sorted(program.defaults.values(), key=lambda each: (len(each.name), each.name)):
        if re.fullmatch(r"(random_|manual_|rng_)?seed|random_state|seed_everything", plain_name(option.name)):
            return ProjectFinding("seed", {"argument": option.name}, "certain", (option.where,))
    files = [path for path in (program.entry, *program.imports) if path.endswith(".py")]
    for path in files:
        if found := re.search(r"environ(\.get\(|\[)\s*[\"'](SEED)[\"']", tree.text(path)):
            where = f"{path}:{tree.text(path).count(chr(10), 0, found.start()) + 1}"
            return ProjectFinding("seed", {"variable": "SEED"}, "certain", (where,))
    for path in files:
        if where := constant_seed(tree, path):
            return ProjectFinding("seed", {"constant": where}, "likely", (where,), (), FIXED_NOTE)
    return ProjectFinding("seed", None, "none", (), (), FIXED_NOTE if program.entry else "")


def constant_seed(tree: ProjectTree, path: str) -> str:
    """Where a file sets a seed that is written in it: the number itself, or the name or key that holds it."""
    text = tree.text(path)
    syntax = tree.syntax(path) if SEEDS.search(text) else None
    for call in calls(syntax) if syntax else ():
        name = called_name(call)
        seed = keyword(call, "random_state") or keyword(call, "seed")
        if last_name(name) in SEEDERS or name in ("random.seed", "np.random.seed", "numpy.random.seed"):
            seed = call.args[0] if call.args else seed
        numbers = [node.value for node in ast.walk(seed) if isinstance(node, ast.Constant)] if seed else []
        if any(isinstance(number, int) for number in numbers):
            return f"{path}:{call.lineno}"
        if seed and (found := HELD.search(text)):
            return f"{path}:{text.count(chr(10), 0, found.start(1)) + 1}"
    return ""
