"""The command line of a run: the project's own words, its interpreter, and {arguments} for what may vary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from flagstone.setup.interview.settled import Settled

PYTHONS = frozenset({"python", "python3"})


@dataclass(frozen=True)
class ArgumentPlan:
    """The command with {arguments}, which arguments are fixed, and which may change, each with its kind.

    `reasons` says of each argument that setup has added what it is for.
    """

    argv: tuple[str, ...]
    style: str
    fixed: Mapping[str, Any]
    changeable: Mapping[str, Any]
    kinds: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def allow(self) -> dict[str, str]:
        """The kind of each argument that may change: as its parser has it, or by the type of its value."""
        return {key: self.kinds.get(key) or kind_of(value) for key, value in self.changeable.items()}


def kind_of(value: Any) -> str:
    return {bool: "boolean", int: "integer", float: "number", str: "text", list: "list"}.get(type(value), "any")


def argument_plan(settled: Settled) -> ArgumentPlan | None:
    """What {arguments} stands for. Returns None if the command line stays as it is."""
    found, answer = settled.finding("arguments").value, settled.answers.get("arguments", "keep")
    if answer == "none" or not found:
        return None
    asked = answer if isinstance(answer, dict) else {}
    added = dict(additions(settled))
    fixed = {**found["fixed"], **{key: value for key, (value, _) in added.items()}}
    changeable = {key: value for key, value in found["changeable"].items() if key not in added}
    for key, value in asked.get("changeable", {}).items():
        changeable[key] = value
        fixed.pop(key, None)
    for key, value in asked.get("fixed", {}).items():
        fixed[key] = value
        changeable.pop(key, None)
    if not (fixed or changeable):
        return None
    reasons = {key: why for key, (_, why) in added.items() if key in fixed}
    return ArgumentPlan(tuple(found["argv"]), found["style"], fixed, changeable, found["kinds"], reasons)


def additions(settled: Settled) -> Iterator[tuple[str, tuple[Any, str]]]:
    """The arguments that setup adds to the project's own, each with its value and the reason."""
    seed = settled.finding("seed").value or {}
    if seed.get("argument"):
        yield seed["argument"], ("{seed}", "so that the seed of each run is known, and varies")
    for output in settled.finding("outputs").value or ():
        if output.get("argument"):
            yield output["argument"], (output["to"], "so that a run writes into its own folder")
    key, is_set, value = str(settled.metric.get("override") or "").partition("=")
    if is_set:
        yield key, (value, f"so that {settled.metric['name']} is written to a file")


def run_words(settled: Settled, plan: ArgumentPlan | None) -> list[str]:
    """harness.argv: how the project starts its program, its own words, and {arguments} at the end."""
    program = settled.look.program
    words = list(plan.argv if plan else program.argv)
    first = program.first_argument
    return [*with_interpreter(words[:first], settled.python), *words[first:]]


def with_interpreter(words: Sequence[str], python: str) -> list[str]:
    """The words that start the program, with the project's own interpreter in the place of a bare name.

    `uv run` and its like only choose the environment, which is chosen by now: they are left out.
    """
    if not python:
        return list(words)
    rest = list(words)
    if rest[:2] in ([each, "run"] for each in ("uv", "poetry", "pdm", "rye", "pixi")):
        rest = rest[2:]
        while rest and rest[0].startswith("-") and rest[0] not in ("-m", "--module"):
            rest.pop(0)
        if rest and (rest[0].endswith(".py") or rest[0].startswith("-")):
            rest = ["python", *("-m" if word == "--module" else word for word in rest)]
    if not rest or (PurePosixPath(rest[0]).name not in PYTHONS and "/" in rest[0]):
        return rest
    folder = PurePosixPath(python).parent
    return [python if rest[0] in PYTHONS or "python" in rest[0] else str(folder / rest[0]), *rest[1:]]
