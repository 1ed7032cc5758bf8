"""The command line of a run: the project's own words, its interpreter, and {arguments} for what may vary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from flagstone.plans import CommandArguments
from flagstone.setup.interview.settled import Settled
from flagstone.setup.programs import launch_of
from flagstone.setup.programs.options import kind_of
from flagstone.setup.results import find_saving_option

PYTHONS = frozenset({"python", "python3"})
MANAGERS = ("uv", "poetry", "pdm", "rye", "pixi")
STARTERS = (*PYTHONS, "torchrun", "accelerate", "deepspeed", "srun", "jupyter", "papermill")


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


def argument_plan(settled: Settled) -> ArgumentPlan | None:
    """What {arguments} stands for. Returns None if the command line stays as it is."""
    found, answer = settled.finding("arguments").value, settled.answers.get("arguments", "keep")
    is_function, is_own = settled.pattern == "function", settled.pattern == "custom" != settled.look.program.pattern
    if is_own or not found or (answer == "none" and not is_function):
        return None
    asked = answer if isinstance(answer, dict) else {}
    added = dict(additions(settled))
    fixed = {**found["fixed"], **{key: value for key, (value, _) in added.items()}}
    may_change = found["changeable"] if answer != "none" else {}
    changeable = {key: value for key, value in may_change.items() if key not in added}
    for key, value in asked.get("changeable", {}).items():
        changeable[key] = value
        fixed.pop(key, None)
    for key, value in asked.get("fixed", {}).items():
        fixed[key] = value
        changeable.pop(key, None)
    if not (fixed or changeable or is_function):
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
    if option := option_that_saves(settled):
        yield option, (True, "so that a run saves its checkpoint")
    key, is_set, value = str(settled.metric.get("override") or "").partition("=")
    if is_set:
        yield key, (value, f"so that {settled.metric['name']} is written to a file")


def option_that_saves(settled: Settled) -> str:
    """The option without which the checkpoint that was found is not saved. Returns '' if none is needed."""
    found = settled.finding("checkpoint")
    if not found.value or settled.value("checkpoint") != found.value:
        return ""
    return find_saving_option(settled.look.tree, settled.look.program, found.evidence[0])


def run_words(settled: Settled, plan: ArgumentPlan | None) -> list[str]:
    """harness.argv: how the project starts its program, its own words, and {arguments} at the end."""
    program = settled.look.program
    words = list(plan.argv if plan else program.argv)
    first = program.first_argument
    return [*with_interpreter(words[:first], settled), *words[first:]]


def with_interpreter(words: Sequence[str], settled: Settled) -> list[str]:
    """The words that start the program, with the project's own programs in the place of bare names.

    `uv run` and its like only choose the environment, which is chosen by now: they are left out.
    """
    python, rest = settled.python, list(words)
    if not python:
        return rest
    if rest[:2] in ([each, "run"] for each in MANAGERS):
        rest = without_manager(rest)
    if not rest or "/" in rest[0]:
        return rest
    program = PurePosixPath(python).parent / rest[0]
    if rest[0] in PYTHONS:
        return [python, *rest[1:]]
    if rest[0] == "torchrun" and not (settled.look.root / program).exists():
        return [python, "-m", "torch.distributed.run", *rest[1:]]
    return [str(program) if (settled.look.root / program).exists() else rest[0], *rest[1:]]


def without_manager(words: list[str]) -> list[str]:
    """The words without `uv run` and its options."""
    launch = launch_of(words)
    target = launch.target if launch else ""
    at = next((at for at, word in enumerate(words) if at > 1 and (word == target or word in (*STARTERS, "-m"))), 2)
    rest = words[at:]
    return ["python", *rest] if rest and (rest[0].endswith(".py") or rest[0] == "-m") else rest


def own_command(settled: Settled, plan: ArgumentPlan | None) -> tuple[str, ...]:
    """The project's own command with what setup adds to it, to compare its number. {seed} is filled in by the check.

    Empty if it cannot be run in a plain copy without writing elsewhere.
    """
    outputs = settled.finding("outputs").value or ()
    if settled.pattern == "function" or any(row.get("variable") for row in outputs):
        return ()
    words = run_words(settled, None)
    if plan:
        added = CommandArguments(plan.style, {key: plan.fixed[key] for key in plan.reasons})  # type: ignore[arg-type]
        words += (word.replace("'{seed}'", "{seed}") for word in added.words({}, own_place))
    return tuple(words)


def own_place(text: str) -> str:
    """A value as it is in a plain copy, which a run may write to."""
    return text.replace("{run_dir}/", "")
