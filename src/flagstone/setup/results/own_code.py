"""Which files of a project belong to the program: what it imports, and what its configuration names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from flagstone.setup.programs import Program
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.protected_files import why_never

TARGET = re.compile(r"^[ \t]*(?:- )?(?:_target_|class_path)[ \t]*:[ \t]*['\"]?([A-Za-z_][\w.]+)", re.MULTILINE)
SOURCES = (".py", ".ipynb")
CONFIGS = (".yaml", ".yml")
OUTPUTS = frozenset(("wandb", "outputs", "runs", "logs", "lightning_logs", "mlruns", "multirun", "checkpoints"))
OTHERS = frozenset(("examples", "docs", "doc", "records", "notebooks", "archive", "legacy", "old"))
MOST_FILES, MOST_CONFIGS = 120, 400


def own_code(tree: ProjectTree, program: Program) -> list[str]:
    """The Python files that the program runs, its entry first. Without an entry: all that look like training."""
    return tree.once(f"own code of {program.entry}", lambda: find_own_code(tree, program))


def find_own_code(tree: ProjectTree, program: Program) -> list[str]:
    first = [path for path in (program.entry, *program.imports) if path.endswith(SOURCES)]
    if not first:
        first = [path for path in tree.ending(".py") if not why_never(path) and not is_other(path)]
    return [path for path in dict.fromkeys((*first, *instantiated_modules(tree))) if path in tree][:MOST_FILES]


def own_configs(tree: ProjectTree) -> list[str]:
    """The YAML files of the project; none that a run has left."""
    found = (path for path in tree.ending(*CONFIGS) if "/." not in f"/{path}")
    return [path for path in found if OUTPUTS.isdisjoint(path.split("/")[:-1])][:MOST_CONFIGS]


def is_other(path: str) -> bool:
    """Whether a file is kept beside the project: examples, documents, records of earlier states."""
    return not OTHERS.isdisjoint(path.split("/")[:-1])


def instantiated_modules(tree: ProjectTree) -> Iterator[str]:
    """The modules that a configuration names to make objects of, such as `_target_: src.models.net.Net`."""
    for path in own_configs(tree):
        for found in TARGET.finditer(tree.text(path)):
            module = PurePosixPath(*found[1].split(".")[:-1])
            for candidate in (f"{module}.py", f"src/{module}.py", f"{module}/__init__.py", f"src/{module}/__init__.py"):
                if candidate in tree:
                    yield candidate
