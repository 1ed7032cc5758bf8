"""Small questions to a syntax tree: what is called, with which words, and which value stands there."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any

UNKNOWN = object()  # a value that only a run of the program would show
OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}
LARGEST_NUMBER = 10**12


def dotted_name(node: ast.AST) -> str:
    """`hydra.main` for that expression. Returns '' if it is no dotted name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def called_name(node: ast.AST) -> str:
    return dotted_name(node.func) if isinstance(node, ast.Call) else ""


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def last_name(name: str) -> str:
    return name.rpartition(".")[2]


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def literal(node: ast.expr | None, otherwise: Any = UNKNOWN) -> Any:
    """The value that an expression spells out, such as 5 * 8. Returns `otherwise` if it depends on anything."""
    if node is None:
        return otherwise
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return product(node, otherwise)


def product(node: ast.expr, otherwise: Any) -> Any:
    """The result of a small calculation with numbers."""
    if not isinstance(node, ast.BinOp) or type(node.op) not in OPERATIONS:
        return otherwise
    left, right = literal(node.left), literal(node.right)
    if not all(isinstance(side, int | float) and abs(side) <= LARGEST_NUMBER for side in (left, right)):
        return otherwise
    if isinstance(node.op, ast.Pow) and abs(right) > 64:
        return otherwise
    try:
        return OPERATIONS[type(node.op)](left, right)
    except (ArithmeticError, ValueError):
        return otherwise


def constant_text(node: ast.expr | None) -> str:
    """The text of a constant string. Returns '' for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
