"""`expr` of a fact: a few functions over other facts. It is parsed and never run as code."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from flagstone.errors import suggestion
from flagstone.paper.facts.quantity import Quantity, first_repeat, reduce_values
from flagstone.paper.facts.reductions import COMPARISONS, REDUCTIONS, comparison

LENGTH = 500
DEPTH = 20
FUNCTIONS = (*REDUCTIONS, *COMPARISONS)
USE = f"use {', '.join(FUNCTIONS)} over keys of facts"


def parse_expression(text: str) -> ast.expr:
    """The tree of an expression. Raises ValueError if it is more than functions of the whitelist over keys."""
    if len(text) > LENGTH:
        raise ValueError(f"longer than {LENGTH} characters; make facts of its parts")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"{text[:80]!r} cannot be read; {USE}, such as diff(mean(a), b)") from None
    check_node(tree, 0)
    return tree


def check_node(node: ast.expr, depth: int) -> None:
    if depth > DEPTH:
        raise ValueError("nested too deeply; make facts of its parts")
    if isinstance(node, ast.Call) and not node.keywords:
        name = key_of(node.func)
        if name not in FUNCTIONS:
            close = suggestion(name or "", FUNCTIONS)
            what = f"there is no function {name[:40]!r}" if name else "it calls what an expression cannot have"
            raise ValueError(f"{what}; {close or USE}")
        if not node.args or (name in COMPARISONS and len(node.args) != 2):
            raise ValueError(f"{name} takes {'two keys' if name in COMPARISONS else 'a key'}")
        for each in node.args:
            check_node(each, depth + 1)
    elif not key_of(node):
        what = "a number" if isinstance(node, ast.Constant) else "an operator or another form"
        raise ValueError(f"it has {what}, which an expression cannot have; {USE}")


def key_of(node: ast.AST) -> str | None:
    """The key that a node names, dots included. Returns None if it names none."""
    if isinstance(node, ast.Name):
        return node.id
    below = key_of(node.value) if isinstance(node, ast.Attribute) else None
    return f"{below}.{node.attr}" if below and isinstance(node, ast.Attribute) else None


def keys_in(node: ast.expr) -> Iterator[str]:
    """The keys that an expression needs."""
    if isinstance(node, ast.Call):
        yield from chain.from_iterable(map(keys_in, node.args))
    elif key := key_of(node):
        yield key


def value_of_tree(node: ast.expr, known: Callable[[str], Quantity]) -> Quantity:
    """The value of an expression. `known` answers for a key, or raises ValueError."""
    if not isinstance(node, ast.Call):
        return known(str(key_of(node)))
    name, parts = str(key_of(node.func)), [value_of_tree(each, known) for each in node.args]
    if name in COMPARISONS:
        result = comparison(name, *(part.number() for part in parts))
        return join_parts(parts, (result,), min(part.n for part in parts))
    if name == "n" and len(parts) == 1 and not parts[0].is_list:
        return join_parts(parts, (parts[0].n,), parts[0].n)
    values = tuple(chain.from_iterable(part.values for part in parts))
    return reduce_values(join_parts(parts, values, len(values)), name)


def join_parts(parts: list[Quantity], values: tuple[float | int | str | None, ...], n: int) -> Quantity:
    """A quantity that rests on all that its parts rest on."""
    inputs: Mapping[str, str] = {path: digest for part in parts for path, digest in part.inputs.items()}
    seeds = [seed for part in parts for seed in part.seeds]
    found = [part.repeated_seed for part in parts] + ([first_repeat(seeds)] if len(values) > 1 else [])
    repeat = next((seed for seed in found if seed is not None), None)
    is_screen = any(part.is_exploratory for part in parts)
    return Quantity(values, False, n, tuple(dict.fromkeys(seeds)), inputs, is_screen, repeat)
