"""The arguments of a program: what its command gives, what its parser would take, and which of both may change."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flagstone.setup.programs.options import (
    ProgramOption,
    hydra_pair,
    kind_of,
    name_rank_of,
    plain_word,
    role_of,
)
from flagstone.setup.programs.program import Program
from flagstone.setup.project_finding import ProjectFinding

MOST_CHANGEABLE = 10
SIZES = (1, 4, 5, 6)  # batch, depth, width and heads in HYPERPARAMETERS


def given_arguments(program: Program) -> tuple[dict[str, Any], list[str]]:
    """What the command gives, by the name that the command uses; and the words that are no such arguments."""
    words = list(program.argv[program.first_argument :])
    if program.parser == "hydra":
        pairs = [(word, hydra_pair(word)) for word in words]
        return dict(pair for _, pair in pairs if pair), [word for word, pair in pairs if not pair]
    return flag_arguments(words, program.defaults)


def flag_arguments(words: list[str], options: Mapping[str, ProgramOption]) -> tuple[dict[str, Any], list[str]]:
    """The flags among the words, with their values; the other words keep their order."""
    names = {alias: option for option in options.values() for alias in (option.name, *option.aliases)}
    given, rest, at = dict[str, Any](), list[str](), 0
    while at < len(words):
        word = words[at]
        at += 1
        if not re.match(r"--?[A-Za-z]", word):
            rest.append(word)
            continue
        flag, has_value, text = word.partition("=")
        option = option_named(flag.lstrip("-"), names)
        name = option.name if option else flag.lstrip("-")
        values = [text] if has_value else following_words(words[at:], option)
        at += 0 if has_value else len(values)
        given[name] = argument_value(values, option)
    return given, rest


def option_named(name: str, names: Mapping[str, ProgramOption]) -> ProgramOption | None:
    """The option of this name. Some parsers take dashes and underscores for the same."""
    swapped = name.replace("-", "_") if "_" not in name else name.replace("_", "-")
    return names.get(name) or names.get(swapped)


def following_words(words: Sequence[str], option: ProgramOption | None) -> list[str]:
    """The words after a flag that are its values."""
    if option and option.kind in ("presence", "negatable"):
        return []
    values = list[str]()
    for word in words:
        if re.match(r"--?[A-Za-z]", word) or (values and (option is None or option.kind != "words")):
            break
        values.append(word)
    return values


def argument_value(values: Sequence[str], option: ProgramOption | None) -> Any:
    if not values:
        return True
    kind = option.kind if option else "any"
    if kind == "words":
        return [plain_word(value) for value in values]
    # a fixed true or false would be written as a bare flag, or not at all: text it stays
    return values[0] if kind == "text" else plain_word(values[0], has_booleans=kind == "boolean")


def arguments_finding(program: Program) -> ProjectFinding:
    """What of the command stays, and the five to ten hyperparameters that may change."""
    words = program.argv[program.first_argument :]
    if not program.is_python and not any(word.startswith("--") for word in words):
        note = "Which arguments it takes is not known." if program.argv else ""
        return ProjectFinding("arguments", None, "unclear" if program.argv else "none", note=note)
    given, rest = given_arguments(program)
    changeable, kinds = changeable_arguments(program, given)
    fixed = {key: value for key, value in given.items() if key not in changeable}
    argv = [*program.argv[: program.first_argument], *rest, "{arguments}"]
    value = {"style": style_of(program), "fixed": fixed, "changeable": changeable, "kinds": kinds, "argv": argv}
    if program.parser == "none" and not given and not program.defaults:
        note = "The program takes no arguments; its constants stand in its files."
        return ProjectFinding("arguments", None, "certain", (), (), note)
    evidence = tuple(program.defaults[key].where for key in changeable if key in program.defaults)
    return ProjectFinding("arguments", value, "likely" if changeable else "unclear", evidence)


def argument_names(program: Program) -> set[str]:
    """What the command line of a run gives: the arguments of the project's own, and those that may change."""
    return {*program.arguments, *changeable_arguments(program, program.arguments)[0]}


def changeable_arguments(program: Program, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The hyperparameters whose value is known, those that the command gives first."""
    known = {key: option for key, option in program.defaults.items() if not option.is_positional}
    known |= {key: ProgramOption(key, None, "", kind_of(value)) for key, value in given.items() if key not in known}
    names = [key for key in known if role_of(key) == "hyperparameter" and is_telling(key, value_of(known[key], given))]
    telling = set(most_telling(names, {key: value_of(known[key], given) for key in names}, given))
    chosen = [key for key in known if key in telling]
    return {key: value_of(known[key], given) for key in chosen}, {key: known[key].kind for key in chosen}


def most_telling(names: Sequence[str], values: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Those that the command gives, then one of each kind, such as one learning rate, before the second of any."""
    groups = dict[int, list[str]]()
    for name in sorted(names, key=lambda name: (name not in given, not is_number(values[name]))):
        groups.setdefault(name_rank_of(name) or 0, []).append(name)
    places = {name: (position, rank) for rank, group in groups.items() for position, name in enumerate(group)}
    return sorted(names, key=lambda name: (name not in given, *places[name]))[:MOST_CHANGEABLE]


def is_telling(key: str, value: Any) -> bool:
    """False for a value that only stands for one that the program works out, such as a batch size of 0 or -1."""
    return value not in (None, "", []) and not (is_number(value) and value <= 0 and name_rank_of(key) in SIZES)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def value_of(option: ProgramOption, given: Mapping[str, Any]) -> Any:
    value = given.get(option.name, option.default)
    if isinstance(value, tuple):
        value = list(value)
    if option.kind == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value if isinstance(value, bool | int | float | str | list) else None


def style_of(program: Program) -> str:
    if program.parser == "hydra":
        return "hydra"
    if not program.is_python and not any("=" in word for word in program.argv[program.first_argument :]):
        return "words"
    return "json" if program.pattern == "function" else "equals"
