"""The names of numbers that the code writes into a JSON or CSV file of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from flagstone.setup.programs import Program
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.code_calls import CodeCall, calls_in
from flagstone.setup.results.numbers.metric_candidate import MetricCandidate, is_counter, named_direction
from flagstone.setup.results.path_globs import PathReader, assignments
from flagstone.setup.syntax import constant_text


def written_names(tree: ProjectTree, paths: Sequence[str], program: Program) -> Iterator[MetricCandidate]:
    """The keys of what is dumped as JSON, and the columns of tables, with the file that they are written to."""
    reader = PathReader(tree, program)
    for path in paths:
        for call in calls_in(tree, path):
            yield from json_names(call, reader)
            yield from column_names(call, reader)


def json_names(call: CodeCall, reader: PathReader) -> Iterator[MetricCandidate]:
    first = call.argument("obj", 0)
    inner = first.args[0] if isinstance(first, ast.Call) and first.args else None
    if call.name == "dump" and call.owner == "json":
        keys, file = keys_of(first, call), reader.glob_at(call, call.argument("fp", 1))
    elif call.name == "write_text" and isinstance(call.node.func, ast.Attribute) and inner:
        keys, file = keys_of(inner, call), reader.glob_at(call, call.node.func.value)
    else:
        return
    yield from candidates_in(keys, file, "json", call)


def column_names(call: CodeCall, reader: PathReader) -> Iterator[MetricCandidate]:
    """The columns that `csv.DictWriter` is given."""
    if call.name == "DictWriter":
        columns = call.argument("fieldnames", 1)
        names = [constant_text(each) for each in columns.elts] if isinstance(columns, ast.List | ast.Tuple) else []
        yield from candidates_in(names, reader.glob_at(call, call.argument("f", 0)), "csv", call)


def candidates_in(names: Sequence[str], file: str, backend: str, call: CodeCall) -> Iterator[MetricCandidate]:
    """The names with a known direction: settings are written into such files as well."""
    for name in names:
        if file and not file.startswith(("/", "~", "..")) and not is_counter(name) and named_direction(name):
            around = call.function.name if call.function else ""
            yield MetricCandidate(name, "call", backend, call.place, {"path": file}, None, around)


def keys_of(node: ast.expr | None, call: CodeCall) -> list[str]:
    """The keys of a mapping that is spelled out, there or where its name was last set."""
    if isinstance(node, ast.Name) and call.function is not None:
        node = next(reversed(assignments(call.function).get(node.id, ())), None)
    return list(key_paths(node)) if isinstance(node, ast.Dict) else []


def key_paths(mapping: ast.Dict) -> Iterator[str]:
    """The keys as the reader of JSON files takes them: `val.f1` for a key of a mapping within it."""
    for key, value in zip(mapping.keys, mapping.values, strict=True):
        name = constant_text(key)
        if isinstance(value, ast.Dict) and name:
            yield from (f"{name}.{below}" for below in key_paths(value))
        else:
            yield name
