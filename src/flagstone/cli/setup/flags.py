"""The flags of `flagstone setup`, and the answers that they are."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

import click

from flagstone.errors import FlagstoneError
from flagstone.setup.interview import read_pairs

# the options by the questions that they answer: with one value, with several, with KEY=VALUE
PLAIN = {"goal": "goal", "checkpoint": "checkpoint", "seconds": "seconds", "framework": "framework"}
PLAIN |= {"wandb_project": "wandb", "proposer": "proposer", "cure": "environment"}
LISTS = {"mutable": "mutable", "constraints": "constraints"}
PAIRS = {"argument": "changeable", "fixed": "fixed"}
ANSWERED = ("goal", "checkpoint", "seconds", "proposer", "mutable", "constraints", "entry", "metric", "direction")
PLACES = {"path_": "path", "glob_": "glob", "tag": "tag", "regex": "regex", "code": "code"}
OPTIONS = (
    click.option("--topic", default="", metavar="TEXT", help="What it is about, in words: for the name and the goal."),
    click.option(
        "--ask",
        type=click.Choice(["unclear", "all", "none"]),
        default="unclear",
        help="What to ask: only what is unclear, all thirteen questions, or nothing.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print findings, open questions and the spec; write nothing."),
    click.option(
        "--answers", "answers_file", metavar="FILE|-", help="Answers in YAML or JSON; - reads them from stdin."
    ),
    click.option("-y", "--yes", "is_accepted", is_flag=True, help="Take every default that is certain or likely."),
    click.option("--check/--no-check", "is_checked", default=None, help="Whether to check the experiment afterwards."),
    click.option("--expect", "expected", default="", metavar="VALUE", help="The number that the unedited files give."),
    click.option("--python", metavar="PATH", help="The interpreter of the project."),
    click.option(
        "--pattern",
        type=click.Choice(["argparse", "hydra", "function", "custom"]),
        help="How the entry takes its values.",
    ),
    click.option("--argument", multiple=True, metavar="KEY=VALUE", help="An argument that may change (repeatable)."),
    click.option("--fixed", multiple=True, metavar="KEY=VALUE", help="An argument that must not change (repeatable)."),
    click.option("--resume-flag", metavar="FLAG", help="The flag that takes a checkpoint to start from."),
    click.option("--resume-variable", metavar="NAME", help="The environment variable that does."),
    click.option(
        "--framework",
        type=click.Choice(["lightning", "deepspeed", "accelerate", "fsdp", "ddp", "none"]),
        help="The framework that trains.",
    ),
    click.option("--wandb-project", metavar="NAME", help="The project of wandb that runs belong to."),
    click.option(
        "--cure",
        type=click.Choice(["sibling", "install", "link"]),
        help="How to cure a missing environment. Giving it is the consent.",
    ),
)
OWN = {"topic", "ask", "as_json", "answers_file", "is_accepted", "is_checked", "expected", "python", "pattern"}
OWN |= {"argument", "fixed", "resume_flag", "resume_variable", "framework", "wandb_project", "cure"}


def setup_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options to a command, in the order in which its help shows them."""
    for option in reversed(OPTIONS):
        function = option(function)
    return function


def answers_of_flags(given: dict[str, Any], argv: tuple[str, ...]) -> dict[str, Any]:
    """The answers that flags give, by the id of their question."""
    found = {key: given[name] for name, key in PLAIN.items() if given[name]}
    found |= {key: list(given[name]) for name, key in LISTS.items() if given[name]}
    if given["entry"] or given["pattern"]:
        found["entry"] = {"file": given["entry"], "pattern": given["pattern"]}
    if given["resume_flag"] or given["resume_variable"]:
        key = "flag" if given["resume_flag"] else "variable"
        found["resume"] = {key: given[f"resume_{key}"]}
    if pairs := {key: pairs_of(given[name], name) for name, key in PAIRS.items() if given[name]}:
        found["arguments"] = pairs
    if given["metric"] or given["direction"]:
        found["metric"] = {"name": given["metric"], "direction": given["direction"]}
    if given["backend"]:
        places = {key: given[name] for name, key in PLACES.items() if given[name]}
        found["backend"] = {"name": given["backend"], **places}
    if argv:
        found["runner"] = shlex.join(argv)
    return {key: without_empty(value) for key, value in found.items()}


def without_empty(value: Any) -> Any:
    return {key: row for key, row in value.items() if row is not None} if isinstance(value, dict) else value


def pairs_of(words: tuple[str, ...], name: str) -> dict[str, Any]:
    try:
        return read_pairs(list(words))
    except ValueError as error:
        raise FlagstoneError(f"--{name}: {error}", hint=f"for example: --{name} lr=0.1") from error


def remaining_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of `experiment new` that no question is about: they go into the spec as they are."""
    nothing = {name: () if isinstance(given[name], tuple) else None for name in (*ANSWERED, "root", "backend")}
    places = dict.fromkeys(PLACES, None) if given["backend"] else {}
    return {**{key: value for key, value in given.items() if key not in OWN}, **nothing, **places}
