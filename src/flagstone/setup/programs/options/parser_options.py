"""The options of command lines that are declared call by call: argparse, click, typer, absl, Fire."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from flagstone.setup.programs.options.dataclass_options import annotation_name, class_place, parameter_options
from flagstone.setup.programs.options.option import OptionKind, ProgramOption, kind_of
from flagstone.setup.programs.options.subcommands import other_parsers
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.syntax import (
    UNKNOWN,
    called_name,
    calls,
    constant_text,
    dotted_name,
    keyword,
    last_name,
    literal,
)

ABSL_TYPES = {"DEFINE_float": "float", "DEFINE_integer": "int", "DEFINE_string": "str", "DEFINE_enum": "str"}


def argparse_options(syntax: ast.Module, path: str, words: Sequence[str] = ()) -> Iterator[ProgramOption]:
    """What add_argument declares for a command of these words, and what set_defaults says later."""
    others = other_parsers(syntax, words)
    later = dict[str, Any]()
    for call in calls(syntax):
        if last_name(called_name(call)) == "set_defaults":
            later |= {each.arg: literal(each.value, None) for each in call.keywords if each.arg}
    for call in calls(syntax):
        names = [constant_text(each) for each in call.args]
        is_one = isinstance(call.func, ast.Attribute) and call.func.attr in ("add_argument", "add")
        if call in others:
            continue
        if is_one and names and all(names) and (call.func.attr == "add_argument" or names[0].startswith("--")):  # type: ignore[attr-defined]
            yield argparse_option(call, names, path, later)


def argparse_option(call: ast.Call, names: list[str], path: str, later: dict[str, Any]) -> ProgramOption:
    long = [each for each in names if each.startswith("--")]
    name = (long or names)[0].lstrip("-")
    action = constant_text(keyword(call, "action")) or last_name(
        ast.unparse(keyword(call, "action") or ast.Constant(""))
    )
    default = literal(keyword(call, "default"), None)
    if action in ("store_true", "store_false"):
        default = default if isinstance(default, bool) else False
    destination = constant_text(keyword(call, "dest")) or name.replace("-", "_")
    declared = annotation_name(keyword(call, "type"))
    nargs, is_positional = literal(keyword(call, "nargs"), None), not names[0].startswith("-")
    return ProgramOption(
        name,
        later.get(destination, default),
        f"{path}:{call.lineno}",
        argparse_kind(action, nargs, default, declared),
        tuple(each.lstrip("-") for each in names if each.lstrip("-") != name),
        is_positional,
        literal(keyword(call, "required"), is_positional and nargs not in ("?", "*")) is True,
    )


def argparse_kind(action: str, nargs: Any, default: Any, declared: str) -> OptionKind:
    if action in ("store_true", "store_false", "store_const"):
        return "presence"
    if action == "BooleanOptionalAction":
        return "negatable"
    if nargs in ("+", "*") or (isinstance(nargs, int) and nargs > 1):
        return "words"
    # argparse's type=bool takes every text for true
    return kind_of(default, "" if declared == "bool" else declared)


def click_options(syntax: ast.Module, path: str) -> Iterator[ProgramOption]:
    """The decorators of click: `@click.option("--lr", default=0.1)`."""
    for call in calls(syntax):
        names = [constant_text(each) for each in call.args]
        if called_name(call) in ("click.option", "option", "click.argument", "argument") and names and names[0]:
            default = literal(keyword(call, "default"), None)
            first = next((each for each in names if each.startswith("--")), names[0])
            name, is_pair, _ = first.partition("/")
            declared = annotation_name(keyword(call, "type"))
            kind: OptionKind = kind_of(default, {"INT": "int", "FLOAT": "float"}.get(declared, declared))
            if is_pair:
                kind = "negatable"
            elif literal(keyword(call, "is_flag"), False) is True:
                kind, default = "presence", bool(default)
            aliases = tuple(each.lstrip("-") for each in names if each != first and each.startswith("-"))
            is_argument = called_name(call).endswith("argument")
            is_required = literal(keyword(call, "required"), is_argument and default is None) is True
            place = f"{path}:{call.lineno}"
            yield ProgramOption(name.lstrip("-"), default, place, kind, aliases, is_argument, is_required)


def absl_options(syntax: ast.Module, path: str) -> Iterator[ProgramOption]:
    """What absl's DEFINE functions declare."""
    for call in calls(syntax):
        name, declared = constant_text(call.args[0]) if call.args else "", last_name(called_name(call))
        if name and declared.startswith("DEFINE_") and declared != "DEFINE_config_file":
            default = literal(call.args[1] if len(call.args) > 1 else keyword(call, "default"), None)
            is_boolean = declared in ("DEFINE_bool", "DEFINE_boolean")
            kind: OptionKind = "boolean" if is_boolean else kind_of(default, ABSL_TYPES.get(declared, ""))
            yield ProgramOption(name, default, f"{path}:{call.lineno}", kind)


def function_options(syntax: ast.Module, path: str, parser: str) -> Iterator[ProgramOption]:
    """The parameters of the function that typer, Fire or jsonargparse starts."""
    functions = {node.name: node for node in ast.walk(syntax) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names = started_functions(syntax, functions)
    for name in dict.fromkeys(names):
        node = functions[name]
        function = node if isinstance(node, ast.FunctionDef) else method_of(node, "__init__")
        for option in parameter_options(function, path) if function else ():
            if parser == "typer":
                kind: OptionKind = "negatable" if option.kind == "boolean" else option.kind
                name, needs_word = option.name.replace("_", "-"), option.is_required
                yield ProgramOption(name, option.default, option.where, kind, (), needs_word, needs_word)
            else:
                yield option


def started_functions(syntax: ast.Module, functions: dict[str, Any]) -> Iterator[str]:
    for call in calls(syntax):
        if last_name(called_name(call)) in ("Fire", "run", "CLI", "auto_cli"):
            named = [ast.unparse(each) for each in [*call.args, *(each.value for each in call.keywords)]]
            yield from (name for name in named if name in functions)
    for name, node in functions.items():
        if any(last_name(called_name(each)) == "command" for each in node.decorator_list):
            yield name


def lightning_options(tree: ProjectTree, entry: str, imports: Sequence[str]) -> Iterator[ProgramOption]:
    """What LightningCLI adds by itself, and what the model and the data are made with."""
    syntaxes = {path: syntax for path in (entry, *imports) if (syntax := tree.syntax(path))}
    for call in calls(syntaxes[entry]):
        if last_name(called_name(call)) == "LightningCLI":
            where = f"{entry}:{call.lineno}"
            seed = literal(keyword(call, "seed_everything_default"), None)
            yield ProgramOption("seed_everything", seed, where, "any")
            if literal(keyword(call, "run"), True) is not False:  # without subcommands there is no such option
                yield ProgramOption("ckpt_path", None, where, "text")
            given = [*call.args[:2], keyword(call, "model_class"), keyword(call, "datamodule_class")]
            for node, part in zip(given, ("model", "data", "model", "data"), strict=False):
                place = class_place(syntaxes, dotted_name(node)) if node is not None else None
                function = method_of(place[0], "__init__") if place else None
                for option in parameter_options(function, place[1]) if function and place else ():
                    yield replace(option, name=f"{part}.{option.name}")


def method_of(node: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    return next((each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == name), None)


def constant_options(syntax: ast.Module, path: str) -> Iterator[ProgramOption]:
    """The constants at the top of a script, which nanoGPT's configurator makes arguments of."""
    for node in syntax.body:
        if isinstance(node, ast.Expr) and called_name(node.value) == "exec":
            return
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, literal(node.value)
            if value is not UNKNOWN and isinstance(value, bool | int | float | str) and not name.startswith("_"):
                yield ProgramOption(name, value, f"{path}:{node.lineno}", kind_of(value))
