"""The calls in a Python file, each with the function and the conditions that it stands in."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from flagstone.setup.project_tree import ProjectTree

Function = ast.FunctionDef | ast.AsyncFunctionDef
Around = tuple[ast.AST, Function | None, tuple[str, ...], tuple[ast.For, ...]]


@dataclass(frozen=True)
class CodeCall:
    """A call by the last part of its name, where it stands, and the conditions and loops around it."""

    name: str
    node: ast.Call
    place: str
    function: Function | None
    conditions: tuple[str, ...]
    loops: tuple[ast.For, ...]

    @property
    def owner(self) -> str:
        """What the called method belongs to: `self` in `self.log(…)`. Returns '' for a plain function."""
        return last_name(self.node.func.value) if isinstance(self.node.func, ast.Attribute) else ""

    def argument(self, name: str, position: int | None = None) -> ast.expr | None:
        """An argument by its keyword, or by its position."""
        named = next((each.value for each in self.node.keywords if each.arg == name), None)
        is_there = position is not None and named is None and position < len(self.node.args)
        return self.node.args[position] if is_there and position is not None else named


def calls_in(tree: ProjectTree, path: str) -> list[CodeCall]:
    """The calls of a file, in the order of its lines."""
    return tree.once(f"calls in {path}", lambda: calls_of(tree.syntax(path), path))


def calls_of(module: ast.Module | None, path: str) -> list[CodeCall]:
    """Walks through the tree of a file without recursion: a long sum is a deep tree."""
    found: list[CodeCall] = []
    left: list[Around] = [(node, None, (), ()) for node in (module.body if module else ())]
    while left:
        node, function, conditions, loops = left.pop()
        if isinstance(node, ast.Call):
            found.append(CodeCall(last_name(node.func), node, f"{path}:{node.lineno}", function, conditions, loops))
        if isinstance(node, Function):
            function, conditions, loops = node, (), ()
        elif isinstance(node, ast.If):
            conditions = (*conditions, ast.unparse(node.test)[:200])
        elif isinstance(node, ast.For):
            loops = (*loops, node)
        left += [(child, function, conditions, loops) for child in ast.iter_child_nodes(node)]
    return sorted(found, key=lambda call: (call.node.lineno, call.node.col_offset))


def last_name(node: ast.expr) -> str:
    """The name that an expression ends with: `log` in `self.log`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else last_name(node.func) if isinstance(node, ast.Call) else ""
