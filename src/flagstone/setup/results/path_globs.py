"""The path that an expression in the code makes, as a glob: what the code alone does not tell is left open."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from flagstone.setup.programs import Program
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.code_calls import CodeCall, Function, last_name
from flagstone.setup.syntax import constant_text

DEPTH = 20  # names that stand for names
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
        names = ((re.split(r"[./]", name)[-1].replace("-", "_"), value) for name, value in self.given.items())
        self.given = dict(names)
        self.local: dict[str, list[ast.expr]] = {}
        self.outer: dict[str, list[ast.expr]] = {}
        self.file = ""

    def glob_at(self, call: CodeCall, node: ast.expr | None) -> str:
        """The path that a call is given, relative to the project. Returns '' if nothing of it is known."""
        self.file = call.place.rpartition(":")[0]
        module = self.tree.syntax(self.file)
        self.outer = assignments(module) if module else {}
        self.local = {}
        if call.function is not None:
            self.local = parameter_defaults(call.function) | assignments(call.function)
        glob = re.sub(r"\*+", OPEN, self.glob(node, DEPTH)).removeprefix("./") if node is not None else ""
        return glob if re.search(r"\w", glob) else ""

    def glob(self, node: ast.expr, depth: int) -> str:
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name):
                return self.named_glob(name, depth)
            case ast.Attribute(attr=name) if isinstance(self.given.get(name), str):
                return str(self.given[name])
            case _ if depth:
                return self.composed_glob(node, depth - 1)
            case _:
                return OPEN

    def named_glob(self, name: str, depth: int) -> str:
        """What a name stands for: in its function, or else as it is given on the command line, or else in its file."""
        for scope in (self.local, self.outer):
            if scope is self.outer and isinstance(self.given.get(name), str):
                return str(self.given[name])
            if scope.get(name) and depth:
                *earlier, last = scope[name]
                scope[name] = earlier  # `path = join(folder, path)` means the one before
                try:
                    return self.glob(last, depth - 1)
                finally:
                    scope[name] = [*earlier, last]
        return OPEN

    def composed_glob(self, node: ast.expr, depth: int) -> str:
        """A path made of several parts."""
        above = folder_above(node, self.file)
        if above is not None:
            return above
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
            case ast.IfExp(body=body, orelse=otherwise):
                return next(
                    (path for each in (body, otherwise) if (path := self.glob(each, depth)) not in ("", OPEN)), OPEN
                )
            case ast.Call(func=ast.Attribute(attr="format", value=template)):
                return FIELD.sub(OPEN, self.glob(template, depth))
            case ast.Call(args=args) if last_name(node) in ("join", "joinpath", "get_outdir"):
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


def folder_above(node: ast.expr, file: str) -> str | None:
    """The file or folder that `Path(__file__).parents[2]` and the like stand for. Returns None if it is none."""
    match node:
        case ast.Name(id="__file__"):
            return file
        case ast.Attribute(value=inner, attr="parent"):
            steps = 1
        case ast.Subscript(value=ast.Attribute(value=inner, attr="parents"), slice=ast.Constant(value=int(number))):
            steps = number + 1
        case ast.Call(args=[inner, *_]) if last_name(node) == "dirname":
            steps = 1
        case ast.Call(args=[inner]) if last_name(node) in ("Path", "abspath", "realpath", "str"):
            steps = 0
        case ast.Call(func=ast.Attribute(value=inner, attr="resolve" | "absolute")):
            steps = 0
        case _:
            return None
    path = folder_above(inner, file)
    parts = path.split("/") if path else []
    return None if path is None or steps > len(parts) else "/".join(parts[: len(parts) - steps])


def join(*parts: str) -> str:
    return "/".join(part.rstrip("/") for part in parts if part not in ("", "."))


def constants_in(tree: ProjectTree, path: str) -> dict[str, Any]:
    """The names that a file sets to words, at its top."""
    module = tree.syntax(path) if path in tree else None
    found = {name: constant_text(nodes[-1]) for name, nodes in (assignments(module) if module else {}).items()}
    return {name: text for name, text in found.items() if text}


def assignments(scope: ast.Module | Function) -> dict[str, list[ast.expr]]:
    """What the names of a scope are set to, in the order of its lines. Inner functions are other scopes."""
    found: dict[str, list[ast.expr]] = {}
    left: list[ast.AST] = list(reversed(scope.body))
    while left:
        node = left.pop()
        for name, value in names_set(node):
            found.setdefault(name, []).append(value)
        if not isinstance(node, Function | ast.ClassDef | ast.expr):
            left += reversed(list(ast.iter_child_nodes(node)))
    return found


def names_set(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names that one statement sets."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.With(items=items):
            named = ((each.optional_vars, each.context_expr) for each in items)
            yield from ((target.id, value) for target, value in named if isinstance(target, ast.Name))


def parameter_defaults(function: Function) -> dict[str, list[ast.expr]]:
    names = [each.arg for each in function.args.args]
    defaults = function.args.defaults
    pairs = zip(names[len(names) - len(defaults) :], defaults, strict=True)
    return {name: [value] for name, value in pairs}
