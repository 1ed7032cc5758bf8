"""Constants of a Python file, found by what they are and replaced with everything else left byte for byte."""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OVERRIDES = "CLI_OVERRIDES"
MOST, SHORT = 40, 60  # parameters of one candidate, and letters of a name or a word
LINE_END = re.compile(rb"\r\n|\r|\n")
# functions and classes are not among them: what they set is their own
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


@dataclass(frozen=True)
class Assignment:
    """One assignment: its value, where it is in the file, and, if it cannot be replaced, why."""

    name: str
    value: object
    start: int
    end: int
    fault: str = ""


@dataclass(frozen=True)
class PythonFile:
    """A file as text in UTF-8, and the encoding it goes back to."""

    content: bytes
    encoding: str

    @classmethod
    def of(cls, content: bytes) -> PythonFile:
        """SyntaxError or UnicodeDecodeError if it is no Python."""
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return cls(content.decode(encoding).encode("utf-8"), encoding)

    def assignments(self, names: frozenset[str]) -> Iterator[Assignment]:
        """Every assignment of the module itself to one of these names, or to such a key of CLI_OVERRIDES."""
        starts = [0, *(line.end() for line in LINE_END.finditer(self.content))]
        tree = ast.parse(self.content.decode("utf-8"))
        for statement, is_top in statements(tree.body):
            for name, value, fault in values_in(statement):
                if name in names:
                    fault = fault or ("" if is_top else "is set within a block, not at the top level")
                    yield found_at(name, value, starts, fault)

    def set_values(self, values: Mapping[str, object], found: Mapping[str, Assignment]) -> bytes:
        """The file with other values; `found` says where they are."""
        content = self.content
        for name in sorted(values, key=lambda each: found[each].start, reverse=True):
            place = found[name]
            content = content[: place.start] + repr(values[name]).encode("utf-8") + content[place.end :]
        return content.decode("utf-8").encode(self.encoding)


def constants_in(content: bytes, names: Sequence[str]) -> tuple[dict[str, Assignment], list[str]]:
    """Where these constants are, and in words everything that is wrong with them."""
    try:
        every = list(PythonFile.of(content).assignments(frozenset(names)))
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        return {}, [f"is no Python that can be read: {error}"]
    found, faults = {}, []
    for name in names:
        mine = [each for each in every if each.name == name]
        if not mine:
            faults.append(f'has no constant {name}: there should be one line `{name} = …` or {OVERRIDES}["{name}"] = …')
        elif len(mine) > 1:
            faults.append(f"sets {name} {len(mine)} times")
        elif mine[0].fault:
            faults.append(f"{name} {mine[0].fault}")
        else:
            found[name] = mine[0]
    return found, faults


def parameters_in(content: bytes) -> dict[str, Any]:
    """The numbers and short words that a module sets at its top: what tells one candidate from another in a table."""
    try:
        tree = ast.parse(PythonFile.of(content).content.decode("utf-8"))
    except (SyntaxError, UnicodeDecodeError, ValueError, RecursionError, MemoryError):
        return {}
    found: dict[str, Any] = {}
    for statement, is_top in statements(tree.body):
        for name, node, fault in values_in(statement) if is_top else ():
            value = node.value if isinstance(node, ast.Constant) else literal_value(node)
            if not fault and len(name) <= SHORT and is_parameter(value) and (name in found or len(found) < MOST):
                found[name] = value
    return found


def is_parameter(value: object) -> bool:
    if isinstance(value, str):
        return 0 < len(value) <= SHORT and not any(letter.isspace() for letter in value)
    return isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value))


def literal_value(node: ast.expr) -> object:
    """The value of -1 and the like. Returns None for everything that is computed."""
    try:
        return ast.literal_eval(node) if isinstance(node, ast.UnaryOp) else None
    except (ValueError, TypeError):
        return None


def statements(body: Iterable[ast.stmt], is_top: bool = True) -> Iterator[tuple[ast.stmt, bool]]:
    """The statements of a module in its own scope, and whether each is at the top level."""
    for statement in body:
        yield statement, is_top
        if not isinstance(statement, BLOCKS):
            continue
        for node in ast.iter_child_nodes(statement):
            inner = [node] if isinstance(node, ast.stmt) else []
            inner += [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt)] if not inner else []
            yield from statements(inner, is_top=False)


def values_in(statement: ast.stmt) -> Iterator[tuple[str, ast.expr, str]]:
    """The names that a statement sets, the values, and why one is not simply `NAME = value`."""
    if isinstance(statement, ast.AugAssign):
        for name in names_of(statement.target):
            yield name, statement.value, "is changed in place"
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        for name in names_of(statement.target):
            yield name, statement.value, ""
    elif isinstance(statement, ast.Assign):
        is_simple = len(statement.targets) == 1 and not isinstance(statement.targets[0], ast.Tuple | ast.List)
        for target in statement.targets:
            for name in names_of(target):
                yield name, statement.value, "" if is_simple else "is not set by itself"
        yield from entries_of_dict(statement)


def names_of(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            yield from names_of(each)
    elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and target.value.id == OVERRIDES:
        key = target.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value


def entries_of_dict(statement: ast.Assign) -> Iterator[tuple[str, ast.expr, str]]:
    """The keys of `CLI_OVERRIDES = {"key": value}`."""
    value = statement.value
    named = any(isinstance(target, ast.Name) and target.id == OVERRIDES for target in statement.targets)
    if named and isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, item, ""


def found_at(name: str, node: ast.expr, starts: list[int], fault: str) -> Assignment:
    start = starts[node.lineno - 1] + node.col_offset
    end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError):
        return Assignment(name, None, start, end, fault or "is computed: it should be a plain value")
    is_plain = value is None or isinstance(value, bool | int | float | str)
    return Assignment(name, value, start, end, fault or ("" if is_plain else "is no number, text, True, False or None"))
