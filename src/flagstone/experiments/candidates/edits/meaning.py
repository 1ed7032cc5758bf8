"""What a Python file says without its comments, docstrings and note, and without its seeds where that is asked."""

from __future__ import annotations

import ast
import re

SEED_NAME = re.compile(r"seed|random_?state", re.IGNORECASE)
NOT_A_SEED = re.compile(
    r"(^|[_-])(n|num|number|count|len|total|max)[_-]?(of[_-])?seeds?|seeds?[_-]?(count|number)|seeded|seeding",
    re.IGNORECASE,
)
STARTS = {  # calls whose only effect is where random numbers start
    "seed", "manual_seed", "manual_seed_all", "seed_all", "seed_everything", "set_seed", "set_seeds", "set_random_seed",
    "set_rng_seed", "set_global_seed", "fix_seed", "fix_seeds", "fix_random_seed", "init_seed", "init_seeds",
}  # fmt: skip
SOURCES = {  # calls that make a source of random numbers from a seed
    "default_rng", "RandomState", "Random", "SeedSequence", "PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64",
    "PRNGKey", "Generator",
}  # fmt: skip
PASSED_ON = {"int", "str", "get", "getenv", "field", "Field"}  # a seed that goes through one of these is still a seed
OPTIONS = {"add_argument", "option"}  # of argparse and click
NOTE = "RUN_NOTE"


def meaning(source: str, without_seeds: bool) -> str:
    """A text that is equal for two files that do the same, as far as their syntax tells."""
    tree = Bare().visit(ast.parse(source))
    return ast.dump(Seedless().visit(tree) if without_seeds else tree)


def is_seed_name(name: str) -> bool:
    """Whether a name is that of a seed. How many seeds there are is none: changing it changes what is computed."""
    return bool(SEED_NAME.search(name)) and not NOT_A_SEED.search(name)


class Bare(ast.NodeTransformer):
    """Takes away what no program sees: strings that stand alone, and the note for the ledger."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        return None if is_note(*node.targets, value=node.value) else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        return None if is_note(node.target, value=node.value) else self.generic_visit(node)


class Seedless(ast.NodeTransformer):
    """Puts one word in place of every seed, and takes away the calls that only set one."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        call = node.value
        if isinstance(call, ast.Call) and name_of(call.func) in STARTS and all(map(is_seed, arguments_of(call))):
            return None
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if all(is_seed_name(name_of(target)) for target in node.targets):
            node.value = mask_seed(node.value)
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value and is_seed_name(name_of(node.target)):
            node.value = mask_seed(node.value)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if name_of(node.func) in STARTS | SOURCES or is_jax_key(node.func):
            node.args = [mask_seed(each) for each in node.args]
        is_option = name_of(node.func) in OPTIONS and any(map(names_a_seed, node.args))
        for keyword in node.keywords:
            if is_seed_name(keyword.arg or "") or (is_option and keyword.arg == "default"):
                keyword.value = mask_seed(keyword.value)
        return self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> ast.AST:
        pairs = zip(node.keys, node.values, strict=True)
        node.values = [mask_seed(value) if key is not None and names_a_seed(key) else value for key, value in pairs]
        return self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        named = [*node.posonlyargs, *node.args][-len(node.defaults) :] if node.defaults else []
        pairs = zip(named, node.defaults, strict=True)
        node.defaults = [mask_seed(value) if is_seed_name(each.arg) else value for each, value in pairs]
        options = zip(node.kwonlyargs, node.kw_defaults, strict=True)
        node.kw_defaults = [mask_seed(value) if value and is_seed_name(each.arg) else value for each, value in options]
        return self.generic_visit(node)


def mask_seed(node: ast.expr) -> ast.expr:
    """Replaces a seed by a word. In a list each seed is replaced, so that their number still counts."""
    if isinstance(node, ast.List | ast.Tuple):
        node.elts = [mask_seed(each) for each in node.elts]
        return node
    return ast.Constant("a seed") if is_seed(node) else node


def is_seed(node: ast.expr) -> bool:
    """Whether an expression can only be a seed: whole numbers, names of seeds, and what passes them on."""
    match node:
        case ast.Constant(value=value):
            return value is None or (isinstance(value, int | str) and not isinstance(value, bool))
        case ast.Name() | ast.Attribute():
            return is_seed_name(name_of(node))
        case ast.UnaryOp(operand=operand):
            return is_seed(operand)
        case ast.BinOp(left=left, right=right):
            return is_seed(left) and is_seed(right)
        case ast.Subscript(value=value, slice=key):
            return name_of(value) == "environ" and names_a_seed(key)
        case ast.Call():
            return name_of(node.func) in PASSED_ON and all(map(is_seed, arguments_of(node)))
    return False


def arguments_of(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def name_of(node: ast.AST) -> str:
    """The last name of `a`, `a.b` and `a["b"]`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""


def is_note(*targets: ast.expr, value: ast.expr | None) -> bool:
    return [name_of(target) for target in targets] == [NOTE] and isinstance(value, ast.Constant)


def names_a_seed(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and is_seed_name(node.value)


def is_jax_key(function: ast.AST) -> bool:
    return isinstance(function, ast.Attribute) and function.attr == "key" and name_of(function.value) == "random"
