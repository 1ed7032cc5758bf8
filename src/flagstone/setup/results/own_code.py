"""Which files of a project belong to the program: what it imports, and what its configuration names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from flagstone.setup.programs import Program
from flagstone.setup.project_tree import ProjectTree

TARGET = re.compile(r"^[ \t]*(?:- )?(?:_target_|class_path)[ \t]*:[ \t]*['\"]?([A-Za-z_][\w.]+)", re.MULTILINE)
SOURCES = (".py", ".ipynb")
CONFIGS = (".yaml", ".yml")
OUTPUTS = frozenset(("wandb", "outputs", "runs", "logs", "lightning_logs", "mlruns", "multirun", "checkpoints"))
NOT_TRAINING = re.compile(
    r"(^|/)(tests?|testing|examples?|docs?|records|benchmarks?|notebooks)/|(^|/)(test_[^/]*|conftest|setup|eval[^/]*|sample[^/]*|bench[^/]*|export[^/]*)\.py$"
)
MOST_FILES = 120


def own_code(tree: ProjectTree, program: Program) -> list[str]:
    """The Python files that the program runs, its entry first. Without an entry: all that look like training."""
    first = [path for path in (program.entry, *program.imports) if path.endswith(SOURCES)]
    if not first:
        first = [path for path in tree.ending(".py") if not NOT_TRAINING.search(path)]
    present = set(tree.paths)
    return [path for path in dict.fromkeys((*first, *instantiated_modules(tree))) if path in present][:MOST_FILES]


def own_configs(tree: ProjectTree) -> list[str]:
    """The YAML files of the project; none that a run has left."""
    return [
        path for path in tree.ending(*CONFIGS) if OUTPUTS.isdisjoint(path.split("/")[:-1]) and "/." not in f"/{path}"
    ]


def instantiated_modules(tree: ProjectTree) -> Iterator[str]:
    """The modules that a configuration names to make objects of, such as `_target_: src.models.net.Net`."""
    present = set(tree.ending(".py"))
    for path in own_configs(tree):
        for found in TARGET.finditer(tree.text(path)):
            module = PurePosixPath(*found[1].split(".")[:-1])
            for candidate in (f"{module}.py", f"src/{module}.py", f"{module}/__init__.py", f"src/{module}/__init__.py"):
                if candidate in present:
                    yield candidate
