"""Fails if a test asserts nothing: such a test covers lines and checks none of them."""

import ast
import sys
from pathlib import Path


def has_check(test):
    calls = (node.func for node in ast.walk(test) if isinstance(node, ast.Call))
    names = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}
    return "raises" in names or any(
        isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant) for node in ast.walk(test)
    )


def tests_of(path):
    tree = ast.parse(path.read_text(), str(path))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test")]


empty = [
    f"{path}: {test.name}"
    for path in sorted(Path("tests").rglob("*.py"))
    for test in tests_of(path)
    if not has_check(test)
]
sys.exit("tests without an assertion:\n" + "\n".join(empty) if empty else 0)
