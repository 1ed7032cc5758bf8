"""The text that an expression in the code prints, as far as the code alone tells it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, product

from flagstone.setup.results.code_calls import CodeCall, last_name
from flagstone.setup.results.path_globs import assignments
from flagstone.setup.syntax import constant_text

MEASURED, COUNTED = "0.5", "7"  # stand where a value is printed: with digits behind the point, or anyhow
MOST_TEXTS = 6
MEASURE = re.compile(r"\.\d*\*?[feg%]|[feg](?=[}'\"]|$)", re.IGNORECASE)
FIELD = re.compile(r"\{[^{}]*\}")
PERCENT = re.compile(r"%(?:\(\w+\))?[-+ #0]*[\d*]*(?:\.[\d*]+)?[a-zA-Z]")
Strings = Mapping[str, Sequence[str]]


def texts_of(node: ast.expr | None, strings: Strings) -> list[str]:
    """What is printed, with a number in the place of each value; several texts if a name in it takes several words."""
    return list(islice(variants(node, strings), MOST_TEXTS))


def variants(node: ast.expr | None, strings: Strings) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield from ("".join(each) for each in product(*(texts_of(part, strings) for part in parts)))
        case ast.FormattedValue(value=value, format_spec=None):
            yield from texts_of(value, strings)
        case ast.FormattedValue(format_spec=ast.JoinedStr(values=form)):
            yield stand_in("".join(map(constant_text, form)))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from map("".join, product(texts_of(left, strings), texts_of(right, strings)))
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod()):
            yield PERCENT.sub(stand_in, text).replace("%%", "%")
        case ast.Call(func=ast.Attribute(attr="format", value=template)) if constant_text(template):
            yield FIELD.sub(stand_in, constant_text(template))
        case ast.Name(id=name) if name in strings:
            yield from strings[name]
        case ast.IfExp(body=body, orelse=otherwise):
            yield from (*variants(body, strings), *variants(otherwise, strings))
        case ast.Call(args=[first, *_]) if last_name(node) in ("dumps", "dict", "str", "pformat"):
            yield from texts_of(first, strings)
        case ast.Dict(keys=keys):
            yield ", ".join(f"{name!r}: {MEASURED}" for name in map(constant_text, keys) if name)
        case _:
            yield COUNTED


def stand_in(form: str | re.Match[str]) -> str:
    """A number as a format such as `.4f` prints it."""
    return MEASURED if MEASURE.search(form if isinstance(form, str) else form[0]) else COUNTED


def strings_at(call: CodeCall, calls: Sequence[CodeCall]) -> dict[str, list[str]]:
    """The words that names take where a call stands: from loops over words, and from what callers hand over."""
    found = {last_name(loop.target): words_of(loop.iter) for loop in call.loops}
    if call.function is not None:
        found |= words_assigned(call.function) | words_from_callers(call.function, calls)
    return {name: words for name, words in found.items() if words}


def words_of(node: ast.expr) -> list[str]:
    """The words of a list or tuple that holds nothing else."""
    words = [constant_text(each) for each in node.elts] if isinstance(node, ast.List | ast.Tuple | ast.Set) else []
    return words if all(words) else []


def words_assigned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, list[str]]:
    """The words that a function itself gives to its names, such as `"train" if training else "val"`."""
    found = {name: texts_of(nodes[-1], {}) for name, nodes in assignments(function).items()}
    return {name: words for name, words in found.items() if not {MEASURED, COUNTED} & set(words)}


def words_from_callers(
    function: ast.FunctionDef | ast.AsyncFunctionDef, calls: Sequence[CodeCall]
) -> dict[str, list[str]]:
    """The words that this file hands over for the parameters of a function, defaults included."""
    names = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
    defaults = dict(zip(reversed(function.args.args), reversed(function.args.defaults), strict=False))
    found = {each.arg: [constant_text(value)] for each, value in defaults.items()}
    for call in calls:
        if call.name == function.name:
            skip = int(names[:1] == ["self"] and isinstance(call.node.func, ast.Attribute))
            for position, name in enumerate(names[skip:]):
                found.setdefault(name, []).append(constant_text(call.argument(name, position)))
    return {name: [*dict.fromkeys(filter(None, words))] for name, words in found.items()}
