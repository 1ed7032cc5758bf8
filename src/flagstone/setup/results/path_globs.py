"""The path that an expression in the code makes, as a glob: what the code alone does not tell is left open."""

from __future__ import annotations

import ast
import re
from typing import Any

from flagstone.setup.programs import Program
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.code_calls import CodeCall, last_name

DEPTH = 8  # names that stand for names
OPEN = "*"
FIELD = re.compile(r"\{[^{}]*\}|%[-+ #0]*\d*(?:\.\d+)?[a-z]")


class PathReader:
    """Reads path expressions of one program: its arguments, constants, and the variables near a call."""

    def __init__(self, tree: ProjectTree, program: Program) -> None:
        self.tree = tree
        self.given = {name: option.default for name, option in program.defaults.items()}
        for path in (word for word in program.argv if word.endswith(".py")):
            self.given |= constants_in(tree, path)
        self.given |= dict(program.arguments)
        self.given = {name.replace("-", "_").lstrip("_"): value for name, value in self.given.items()}
        self.locals: dict[str, ast.expr] = {}

    def glob_at(self, call: CodeCall, node: ast.expr | None) -> str:
        """The path that a call is given, relative to the project. Returns '' if nothing of it is known."""
        module = self.tree.syntax(call.place.rpartition(":")[0])
        self.locals = assignments(module) if module else {}
        if call.function is not None:
            self.locals |= parameter_defaults(call.function) | assignments(call.function)
        glob = re.sub(r"\*+", OPEN, self.glob(node, DEPTH)).removeprefix("./") if node is not None else ""
        return glob if re.search(r"\w", glob) else ""

    def glob(self, node: ast.expr, depth: int) -> str:
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name) if isinstance(self.given.get(name), str):
                return str(self.given[name])
            case ast.Name(id=name) if name in self.locals and depth:
                return self.glob(self.locals[name], depth - 1)
            case ast.Attribute(attr=name) if isinstance(self.given.get(name), str):
                return str(self.given[name])
            case _ if depth:
                return self.composed_glob(node, depth - 1)
            case _:
                return OPEN

    def composed_glob(self, node: ast.expr, depth: int) -> str:
        """A path made of several parts."""
        match node:
            case ast.JoinedStr(values=parts):
                return "".join(self.glob(part, depth) for part in parts)
            case ast.FormattedValue(value=value, format_spec=None):
                return self.glob(value, depth)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return join(self.glob(left, depth), self.glob(right, depth))
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.glob(left, depth) + self.glob(right, depth)
            case ast.BinOp(left=left, op=ast.Mod()):
                return FIELD.sub(OPEN, self.glob(left, depth))
            case ast.IfExp(body=body):
                return self.glob(body, depth)
            case ast.Call(func=ast.Attribute(attr="format", value=template)):
                return FIELD.sub(OPEN, self.glob(template, depth))
            case ast.Call(args=args) if last_name(node) == "join":
                return join(*(self.glob(part, depth) for part in args))
            case ast.Call(args=[first, *_]) if last_name(node) in (
                "Path",
                "open",
                "str",
                "abspath",
                "expanduser",
                "fspath",
            ):
                return self.glob(first, depth)
            case _:
                return OPEN


def join(*parts: str) -> str:
    return "/".join(part.rstrip("/") for part in parts if part not in ("", "."))


def constants_in(tree: ProjectTree, path: str) -> dict[str, Any]:
    """The names that a file sets to words, at its top."""
    module = tree.syntax(path) if path in tree.paths else None
    found = assignments(module) if module else {}
    return {
        name: node.value
        for name, node in found.items()
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def assignments(scope: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr]:
    """What the names of a scope were last set to. Inner functions are other scopes."""
    found: dict[str, ast.expr] = {}
    left: list[ast.AST] = list(reversed(scope.body))
    while left:
        node = left.pop()
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = node.value
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr):
            left += reversed(list(ast.iter_child_nodes(node)))
    return found


def parameter_defaults(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, ast.expr]:
    names = [each.arg for each in function.args.args]
    defaults = function.args.defaults
    return dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
