"""Which arguments and variables name a folder that a training writes to, and what moves it into the run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flagstone.setup.programs import Program
from flagstone.setup.programs.options import plain_name, role_of
from flagstone.setup.project_finding import ProjectFinding
from flagstone.setup.project_tree import ProjectTree

OUTSIDE = re.compile(r"^(~|/(?!dev/)|\.\./|\$)")
FOLDER = re.compile(r"(dir|folder|root|path)$")
VARIABLE = re.compile(
    r"environ(?:\.get\(|\[)\s*[\"']([A-Z][A-Z0-9_]*(?:_DIR|_HOME|_ROOT|_PATH|_CACHE|_FOLDER))[\"'](?:\s*,\s*[\"']([^\"']*)[\"'])?"
)
NOT_THEIRS = {"HOME", "PATH", "PYTHONPATH", "CUDA_HOME", "LD_LIBRARY_PATH", "HF_HOME", "XDG_CACHE_HOME", "TORCH_HOME"}


def outputs_finding(tree: ProjectTree, program: Program) -> ProjectFinding:
    found = [*argument_outputs(program), *variable_outputs(tree, program)]
    rows = [row for row, _ in found]
    evidence = tuple(dict.fromkeys(where for _, where in found if where))
    return ProjectFinding("outputs", rows, "likely" if rows else "none", evidence)


def argument_outputs(program: Program) -> Iterator[tuple[dict[str, Any], str]]:
    """The arguments that name where the results go, if that is outside of the project, or has no default."""
    for option in program.defaults.values():
        value = program.arguments.get(option.name, option.default)
        is_folder = role_of(option.name) == "output" and FOLDER.search(plain_name(option.name))
        is_outside = isinstance(value, str) and OUTSIDE.match(value)
        if is_folder and not option.is_positional and (is_outside or is_given_folder(program, option.name, value)):
            yield {"argument": option.name, "value": value, "to": "{run_dir}/" + last_part(value)}, option.where


def is_given_folder(program: Program, name: str, value: Any) -> bool:
    return name in program.arguments and isinstance(value, str)


def last_part(value: Any) -> str:
    words = re.findall(r"[\w.-]+", str(value or ""))
    return words[-1].lstrip(".") if words and words[-1].strip(".") else "output"


def variable_outputs(tree: ProjectTree, program: Program) -> Iterator[tuple[dict[str, Any], str]]:
    """The variables of the environment that the project's files read as a folder of theirs."""
    seen = set[str]()
    for path in (program.entry, *program.imports):
        for found in VARIABLE.finditer(tree.text(path)) if path.endswith(".py") else ():
            if found[1] not in NOT_THEIRS | seen:
                seen.add(found[1])
                line = tree.text(path).count("\n", 0, found.start()) + 1
                yield (
                    {"variable": found[1], "value": found[2], "to": "{run_dir}/" + last_part(found[2])},
                    f"{path}:{line}",
                )
