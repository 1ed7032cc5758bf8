"""The options that an entry declares, whichever parser it uses, and the values that words spell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Any

from flagstone.setup.programs.options.dataclass_options import dataclass_options, parameter_options
from flagstone.setup.programs.options.option import ProgramOption
from flagstone.setup.programs.options.parser_options import (
    absl_options,
    argparse_options,
    click_options,
    constant_options,
    function_options,
    lightning_options,
)
from flagstone.setup.programs.options.yaml_options import config_options, hydra_options
from flagstone.setup.project_tree import ProjectTree

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def program_options(
    tree: ProjectTree, entry: str, parser: str, imports: Sequence[str], words: Sequence[str]
) -> dict[str, ProgramOption]:
    """The options that an entry takes, by name. The first that declares a name counts."""
    found = dict[str, ProgramOption]()
    for option in declared_options(tree, entry, parser, imports, words):
        found.setdefault(option.name, option)
    return found


def called_options(tree: ProjectTree, path: str, function: str) -> list[ProgramOption]:
    """The parameters of a function that is called as it is."""
    syntax = tree.syntax(path)
    body = syntax.body if syntax else []
    nodes = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == function]
    return [option for node in nodes for option in parameter_options(node, path)]


def declared_options(
    tree: ProjectTree, entry: str, parser: str, imports: Sequence[str], words: Sequence[str]
) -> Iterator[ProgramOption]:
    syntax = tree.syntax(entry) if entry.endswith(".py") else None
    if syntax is None:
        return
    if parser == "hydra":
        groups = dict(pair for word in words if (pair := hydra_pair(word)))
        name = next(flag_values(words, "--config-name", "-cn"), "")
        yield from hydra_options(tree, entry, {key: str(value) for key, value in groups.items()}, name)
    elif parser == "configurator":
        yield from configured_constants(tree, entry, words)
    elif parser in ("hfargumentparser", "tyro", "simple-parsing"):
        yield from dataclass_options(tree, (entry, *imports), parser)
        yield from argparse_options(syntax, entry, words)
    elif parser in ("typer", "fire", "jsonargparse"):
        yield from function_options(syntax, entry, parser)
    elif parser == "lightningcli":
        for path in config_files(words):
            yield from config_options(tree, path)
        yield from lightning_options(tree, entry, imports)
    elif parser == "click":
        yield from click_options(syntax, entry)
    elif parser == "absl":
        yield from absl_options(syntax, entry)
    elif parser == "argparse":
        for path in (entry, *imports):
            if "add_argument" in tree.text(path) and (each := tree.syntax(path)):
                yield from argparse_options(each, path, words)
    for path in config_files(words) if parser in ("absl", "jsonargparse") else ():
        yield from config_options(tree, path)


def configured_constants(tree: ProjectTree, entry: str, words: Sequence[str]) -> Iterator[ProgramOption]:
    """The constants of a script, as the Python files of its command override them."""
    syntax = tree.syntax(entry)
    own = {each.name: each for each in constant_options(syntax, entry)} if syntax else {}
    for path in (word for word in words if word.endswith(".py") and word in tree):
        config = tree.syntax(path)
        later = {each.name: each for each in constant_options(config, path)} if config else {}
        own |= {name: each for name, each in later.items() if name in own}
    yield from own.values()


def config_files(words: Sequence[str]) -> Iterator[str]:
    for value in flag_values(words, "--config", "-c", "--cfg", "--config_file"):
        yield value.partition(":")[0]


def flag_values(words: Sequence[str], *flags: str) -> Iterator[str]:
    for at, word in enumerate(words):
        name, has_value, value = word.partition("=")
        if name in flags:
            yield value if has_value else "".join(words[at + 1 : at + 2])


def hydra_pair(word: str) -> tuple[str, Any] | None:
    """The key and value of an override such as `model.lr=0.1`."""
    found = re.fullmatch(r"(\+{0,2}[A-Za-z_@][\w.@/:-]*)=(.*)", word, re.DOTALL)
    return (found[1], hydra_value(found[2])) if found else None


def hydra_value(text: str) -> Any:
    if re.fullmatch(r"\[.*\]", text):
        return [plain_word(each.strip().strip("'\"")) for each in text[1:-1].split(",") if each.strip()]
    quoted = re.fullmatch(r"'(.*)'|\"(.*)\"", text)
    return (quoted[1] or quoted[2] or "") if quoted else None if text == "null" else plain_word(text, has_booleans=True)


def plain_word(word: str, *, has_booleans: bool = False) -> Any:
    """A word as the value that it spells. Text stays text if writing the number again would change it much."""
    if has_booleans and word.lower() in ("true", "false"):
        return word.lower() == "true"
    if not NUMBER.fullmatch(word) or re.match(r"[+-]?0\d", word):
        return word
    return int(word) if re.fullmatch(r"-?\d+", word) else float(word)
