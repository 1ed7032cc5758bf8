"""Which calls of add_argument count for a command that names a subcommand, such as `main.py train --lr 0.1`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flagstone.setup.syntax import called_name, calls, constant_text, keyword, last_name, literal


@dataclass(frozen=True)
class ParserName:
    """A variable that holds a parser from a line on; `subcommands` is empty if the parser is of none."""

    line: int
    variable: str
    subcommands: tuple[str, ...]


def other_parsers(syntax: ast.Module, words: Sequence[str]) -> list[ast.Call]:
    """The calls that declare an argument which may not stand behind the subcommand that the words name."""
    names = sorted(parser_names(syntax), key=lambda each: each.line)
    if not any(set(each.subcommands) & set(words) for each in names):
        return []
    parents = {receiver(call) for call in calls(syntax) if last_name(called_name(call)) == "add_subparsers"}
    found = []
    for call in calls(syntax):
        earlier = [each for each in names if each.variable == receiver(call) and each.line <= call.lineno]
        is_of_another = bool(earlier and earlier[-1].subcommands) and not set(earlier[-1].subcommands) & set(words)
        if is_of_another or receiver(call) in parents:
            found.append(call)
    return found


def parser_names(syntax: ast.Module) -> Iterator[ParserName]:
    for node in ast.walk(syntax):
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        call, subcommands = node.value, tuple[str, ...]()
        if last_name(called_name(call)) == "add_parser" and call.args:
            subcommands = (constant_text(call.args[0]) or "?", *literal(keyword(call, "aliases"), ()))
        yield from (ParserName(node.lineno, ast.unparse(target), subcommands) for target in node.targets)


def receiver(call: ast.Call) -> str:
    """What a method is called on. Returns '' for a function."""
    return ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
