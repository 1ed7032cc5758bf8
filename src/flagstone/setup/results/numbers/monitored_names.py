"""The names that a project itself decides by: `monitor=`, the best model's metric, an Optuna block, the best so far."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.code_calls import CodeCall, calls_in
from flagstone.setup.results.numbers.metric_candidate import MetricCandidate, words_in
from flagstone.setup.syntax import constant_text

KEYS = ("monitor", "metric_for_best_model", "optimized_metric", "eval_metric", "eval-metric")
KEY = r"^[ \t]*(?:- )?(monitor|metric_for_best_model|optimized_metric)[ \t]*:[ \t]*"
LINE = re.compile(KEY + r"['\"]?([\w/.@ -]+?)['\"]?[ \t]*(?:#.*)?$")
MODE = re.compile(r"^[ \t]*(?:mode|direction)[ \t]*:[ \t]*['\"]?(min|max|minimize|maximize)\b")
NEAR = 6  # lines around a key that are searched for its mode
Compared = ast.Lt | ast.LtE | ast.Gt | ast.GtE


def monitored_names(tree: ProjectTree, paths: Sequence[str], configs: Sequence[str]) -> Iterator[MetricCandidate]:
    """Every name that something is decided by, with the direction where one stands beside it."""
    for path in paths:
        for call in calls_in(tree, path):
            yield from names_in_call(call)
        yield from compared_names(tree, path)
    for path in configs:
        yield from names_in_config(tree.text(path).splitlines(), path)


def names_in_call(call: CodeCall) -> Iterator[MetricCandidate]:
    for key in KEYS:
        name = constant_text(call.argument(key))
        if name:
            yield MetricCandidate(name, "monitor", "", call.place, direction=mode_of(call))


def mode_of(call: CodeCall) -> str | None:
    """The direction that stands in the same call."""
    mode = constant_text(call.argument("mode")) or constant_text(call.argument("direction"))
    greater = call.argument("greater_is_better")
    if isinstance(greater, ast.Constant) and isinstance(greater.value, bool):
        return "max" if greater.value else "min"
    return mode[:3] if mode[:3] in ("min", "max") else None


def names_in_config(lines: Sequence[str], path: str) -> Iterator[MetricCandidate]:
    for number, line in enumerate(lines):
        found = LINE.match(line)
        if found and found[2] not in ("null", "None", "???"):
            around = lines[max(0, number - NEAR) : number + NEAR]
            around = lines if found[1] == "optimized_metric" else around  # its direction is that of the whole search
            modes = [mode[1][:3] for each in around if (mode := MODE.match(each))]
            direction = modes[0] if len(set(modes)) == 1 else None
            yield MetricCandidate(found[2], "monitor", "", f"{path}:{number + 1}", direction=direction)


def compared_names(tree: ProjectTree, path: str) -> Iterator[MetricCandidate]:
    """`if val_loss < best_val_loss`: what is compared with the best so far, and which way."""
    module = tree.syntax(path)
    for node in ast.walk(module) if module else ():
        if not (isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], Compared)):
            continue
        left, right = compared_name(node.left), compared_name(node.comparators[0])
        smaller = isinstance(node.ops[0], ast.Lt | ast.LtE)
        for name, other, direction in ((left, right, smaller), (right, left, not smaller)):
            if name and words_in(other)[:1] == ["best"] and words_in(name)[:1] != ["best"]:
                yield MetricCandidate(
                    name, "best", "", f"{path}:{node.lineno}", direction="min" if direction else "max"
                )


def compared_name(node: ast.expr) -> str:
    """The name of what is compared: `val_loss`, or `val` in `losses["val"]` as `losses val`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))):
            return f"{key} {name.removesuffix('es') if name == 'losses' else name}"
        case _:
            return ""
