"""Which arguments and variables name a folder that a training writes to, and what moves it into the run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from flagstone.setup.programs.options import ProgramOption, hydra_run_folder, plain_name, role_of
from flagstone.setup.programs.program import Program
from flagstone.setup.project_finding import ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.syntax import (
    called_name,
    constant_text,
    last_name,
)
from flagstone.text import list_text

PARTS_OF_PATHS = {"expanduser", "join", "insert", "append", "abspath", "realpath"}
DECLARATIONS = {
    "add_argument",
    "option",
    "argument",
    "Option",
    "Argument",
    "field",
    "DEFINE_string",
}  # those are options
OUTSIDE = re.compile(r"(~|/(?!dev/)[\w.]|\.\.(/|$)|\$HOME)")
FOLDER = re.compile(r"(dir|folder|root|path|directory)$")
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*_(DIR|HOME|ROOT|PATH|CACHE|FOLDER)")
NOT_THEIRS = re.compile(r"(CUDA|LD_LIBRARY|HF|XDG|TORCH|TRANSFORMERS|CONDA|JAVA|PYTHON|TRITON|TORCHINDUCTOR)_.*|HOME")

Row = tuple[dict[str, Any], str]


def outputs_finding(tree: ProjectTree, program: Program) -> ProjectFinding:
    """What is written or read outside of the project. Rows that nothing moves have no `to`, and are only said."""
    if program.parser == "hydra":
        found = list(hydra_output(tree, program))
    else:
        found = [each for option in program.defaults.values() if (each := argument_output(program, option))]
    found += variable_outputs(tree, program)
    if program.parser != "hydra" and not any("variable" in row for row, _ in found):
        found += constant_outputs(tree, program)
    rows, evidence = [row for row, _ in found], tuple(dict.fromkeys(where for _, where in found))
    fixed = [f"{row['value']} ({row['constant']})" for row in rows if "constant" in row]
    note = f"No argument moves {list_text(fixed, 3)}." if fixed else ""
    return ProjectFinding("outputs", rows, "likely" if rows else "none", evidence, (), note)


def hydra_output(tree: ProjectTree, program: Program) -> Iterator[Row]:
    """Hydra's own folder of a run, which has the date in its name unless it is set."""
    value, where = hydra_run_folder(tree, program.entry)
    yield {"argument": "hydra.run.dir", "value": value, "to": "{run_dir}/hydra"}, where


def argument_output(program: Program, option: ProgramOption) -> Row | None:
    """An argument that names the folder of the results, if it is given or leads out of the project."""
    value = program.arguments.get(option.name, option.default)
    is_folder = role_of(option.name) == "output" and FOLDER.search(plain_name(option.name))
    is_elsewhere = option.name in program.arguments or (isinstance(value, str) and OUTSIDE.match(value))
    if not is_folder or not is_elsewhere or option.is_positional or not isinstance(value, str):
        return None
    return {"argument": option.name, "value": value, "to": f"{{run_dir}}/{last_part(value)}"}, option.where


def last_part(path: str) -> str:
    """The last name of a path, without a leading dot."""
    names = [name for name in re.findall(r"[\w.-]+", path) if name.strip(".")]
    return names[-1].lstrip(".") if names else "output"


def variable_outputs(tree: ProjectTree, program: Program) -> Iterator[Row]:
    """The variables of the environment that the project's files read as a folder of theirs."""
    seen = set[str]()
    for path in program.python_files:
        if "environ" not in tree.text(path) and "getenv" not in tree.text(path):
            continue
        for name, default, line in variables_read(tree.syntax(path)):
            is_folder = VARIABLE.fullmatch(name) and not NOT_THEIRS.fullmatch(name)
            if name in seen or not is_folder or (name.endswith("_CACHE") and not is_outside(default)):
                continue
            seen.add(name)
            spelled = sorted((value for value, _ in outside_paths(tree.syntax(path))), key=len, reverse=True)
            default = default or next(iter(spelled), "")
            target = last_part(default or re.sub(r"_(base_)?(dir|home|root|path|cache|folder)$", "", name.lower()))
            yield {"variable": name, "value": default or None, "to": f"{{run_dir}}/{target}"}, f"{path}:{line}"


def variables_read(syntax: ast.Module | None) -> Iterator[tuple[str, str, int]]:
    """Each variable that is read, its default, and the line."""
    for node in ast.walk(syntax) if syntax else ():
        if isinstance(node, ast.Call) and called_name(node) in ("os.environ.get", "os.getenv", "environ.get", "getenv"):
            words = [spelled_path(each, {}) for each in node.args]
            yield words[0] if words else "", words[1] if len(words) > 1 else "", node.lineno
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("os.environ", "environ"):
            yield constant_text(node.slice), "", node.lineno


def constant_outputs(tree: ProjectTree, program: Program) -> Iterator[Row]:
    """The paths in the project's files that lead out of it, and that nothing moves."""
    seen = set[str]()
    for path in program.python_files:
        if re.search(r"~|\.\./|expanduser|Path\.home|[\"']/", tree.text(path)):
            for value, line in outside_paths(tree.syntax(path)):
                if not any(value == each or value.startswith(f"{each}/") for each in seen):
                    seen.add(value)
                    yield {"constant": f"{path}:{line}", "value": value, "to": None}, f"{path}:{line}"


def outside_paths(syntax: ast.Module | None) -> Iterator[tuple[str, int]]:
    """The paths that are given to a call or a name and lead out of the project, with their lines."""
    names = dict[str, str]()
    for node in sorted(calls_and_assignments(syntax), key=lambda each: (each.lineno, each.col_offset)):
        if isinstance(node, ast.Assign):
            path = spelled_path(node.value, names)
            names |= {each.id: path for each in node.targets if isinstance(each, ast.Name)} if path else {}
            values = [node.value]
        else:
            values = [*node.args, *(each.value for each in node.keywords)]
        for value in values:
            path = spelled_path(value, names)
            if is_outside(path) and not isinstance(value, ast.Name):
                yield path, value.lineno


def calls_and_assignments(syntax: ast.Module | None) -> Iterator[ast.Assign | ast.Call]:
    for node in ast.walk(syntax) if syntax else ():
        is_call = isinstance(node, ast.Call) and last_name(called_name(node)) not in PARTS_OF_PATHS | DECLARATIONS
        if is_call or isinstance(node, ast.Assign):
            yield node  # type: ignore[misc]


def spelled_path(node: ast.expr, names: Mapping[str, str]) -> str:
    """The path that an expression spells, such as os.path.join(home, ".cache") for ~/.cache. Returns '' if none."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if not isinstance(node, ast.Call) or not node.args:
        return constant_text(node)
    parts = [spelled_path(each, names) for each in node.args]
    name = last_name(called_name(node))
    if name in ("expanduser", "Path", "abspath", "realpath") and parts[0]:
        return parts[0]
    return "/".join(parts) if name == "join" and all(parts) else ""


def is_outside(path: str) -> bool:
    """True for a path of a home, of the machine, or above the project; the home itself is nobody's output."""
    is_path = bool(OUTSIDE.match(path)) and not re.search(r"\s|[<>{}|\\]", path) and 1 < len(path) < 200
    return is_path and not re.match(r"/(usr|bin|etc|proc|sys)/", path)
