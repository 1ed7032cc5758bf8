"""What would be written: the spec of the experiment, files of its own, and what a person should know about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import yaml

from flagstone.globs import matches
from flagstone.plans import ARGUMENTS_FILE, parameter_of, with_end
from flagstone.settings import merge
from flagstone.setup.interview.command_words import ArgumentPlan, argument_plan, own_command, run_words
from flagstone.setup.interview.function_entry import ENTRY_FILE, entry_text
from flagstone.setup.interview.program_questions import AR_VARIABLE, resume_way
from flagstone.setup.interview.result_questions import DEFAULT_S, PLACES
from flagstone.setup.interview.settled import Settled
from flagstone.setup.results import overridden_keys


@dataclass(frozen=True)
class SetupProposal:
    """`value` is the spec, `files` are those beside it, `notes` are for the person.

    `own_command` is what its number is compared with.
    """

    value: dict[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    own_command: tuple[str, ...] = ()


def proposal_of(settled: Settled) -> SetupProposal:
    """The proposal that findings and answers make."""
    plan = argument_plan(settled)
    files = dict(own_files(settled, plan))
    value = {
        "goal": settled.goal or None,
        "subject": subject_part(settled, files),
        "arguments": plan and {"style": plan.style, "fixed": dict(plan.fixed), "allow": plan.allow},
        "harness": harness_part(settled, plan),
        "metric": metric_part(settled),
        "checkpoint": checkpoint_part(settled),
        "constraints": settled.answers.get("constraints"),
        "resume": resume_part(settled),
        "noise": "off" if has_constant_seed(settled) else None,
        "stopping": settled.answers.get("stopping"),
        "proposer": settled.answers.get("proposer"),
    }
    kept = {key: row for key, row in value.items() if row not in (None, {}, [])}
    notes = tuple(notes_about(settled, plan))
    return SetupProposal(with_end(kept), files, notes, own_command(settled, plan))


def with_searched_arguments(value: dict[str, Any], texts: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """The spec with the ranges of `--param` for arguments that may change, and the texts about other values."""
    allowed = value.get("arguments", {}).get("allow", {})
    ranges = [(text, parameter_of(text)) for text in texts]
    rest = [text for text, each in ranges if each.file or each.key not in allowed]
    own = {each.key: {"file": ARGUMENTS_FILE, **each.range} for text, each in ranges if text not in rest}
    if own:
        value = {**merge(value, {"search": {"parameters": own}}), "proposer": value.get("proposer", "search")}
    return value, rest


def subject_part(settled: Settled, files: Mapping[str, bytes]) -> dict[str, Any]:
    own = [ARGUMENTS_FILE] if f"own/{ARGUMENTS_FILE}" in files else []
    entry = (settled.value("entry") or {}).get("file")
    found = {"mutable": [*own, *settled.mutable]}
    if entry:
        found["entry"] = entry
    if protected := list(protected_globs(settled, files, entry or "")):
        found["protected"] = protected
    return found


def protected_globs(settled: Settled, files: Mapping[str, bytes], entry: str) -> Iterator[str]:
    """The file that computes the metric, if it is one of its own, and the sources beside the entry."""
    evaluation = settled.finding("evaluation").value or {}
    file = evaluation.get("file")
    is_separate = file and not evaluation.get("shared") and not matches(file, tuple(settled.mutable))
    if f"own/{ENTRY_FILE}" in files:
        yield ENTRY_FILE
    if is_separate:
        yield str(file)
    if is_separate or f"own/{ENTRY_FILE}" in files:
        yield str(PurePosixPath(entry).parent / "*.py")


def harness_part(settled: Settled, plan: ArgumentPlan | None) -> dict[str, Any]:
    env = {**settled.look.program.env, **dict(variables(settled))}
    seconds = settled.answers.get("seconds") or settled.finding("seconds").value or DEFAULT_S
    found: dict[str, Any] = {"argv": argv_of(settled, plan), "seconds": seconds}
    if env:
        found["env"] = env
    if gpus := settled.gpus:
        found["gpus"] = gpus
    return found


def argv_of(settled: Settled, plan: ArgumentPlan | None) -> list[str]:
    words = run_words(settled, plan)
    if settled.pattern != "function" or plan is None:
        return words
    return [words[0], ENTRY_FILE, words[-1]]


def variables(settled: Settled) -> Iterator[tuple[str, str]]:
    """The environment variables that move outputs into the folder of a run, and name the project of wandb."""
    for output in settled.finding("outputs").value or ():
        if output.get("variable"):
            yield output["variable"], output["to"]
    project = settled.answers.get("wandb", "none")
    if project != "none":
        yield "WANDB_PROJECT", project


def metric_part(settled: Settled) -> dict[str, Any]:
    metric, backend = settled.metric, settled.answers.get("backend")
    if backend:
        metric = {**{key: row for key, row in metric.items() if key not in PLACES}, **backend, "name": metric["name"]}
        metric["backend"] = backend["name"]
    return {key: metric[key] for key in ("name", "direction", "backend", *PLACES) if metric.get(key)}


def checkpoint_part(settled: Settled) -> dict[str, Any] | None:
    found = settled.value("checkpoint")
    return {"glob": found} if found and found != "none" else None


def resume_part(settled: Settled) -> dict[str, str] | None:
    """How a run is given a checkpoint: as a person said, or by a flag that takes a path."""
    found = settled.value("resume")
    known = settled.finding("resume").value or {}
    is_known = isinstance(found, dict) and found.items() <= known.items()
    if not isinstance(found, dict) or (is_known and not known.get("is_path")):
        return None
    part = resume_way(found)
    return None if part in ({}, {"variable": AR_VARIABLE}) else part


def has_constant_seed(settled: Settled) -> bool:
    """Whether the seed is a constant of a file that may change: then the number does not vary."""
    place = str((settled.finding("seed").value or {}).get("constant", ""))
    return bool(place) and matches(place.rpartition(":")[0], tuple(settled.mutable))


def own_files(settled: Settled, plan: ArgumentPlan | None) -> Iterator[tuple[str, bytes]]:
    """The files of the experiment's own: what may change of the arguments, and the entry that calls a function."""
    if plan is None:
        return
    text = yaml.safe_dump(dict(plan.changeable), sort_keys=False, allow_unicode=True) if plan.changeable else ""
    if text:
        yield f"own/{ARGUMENTS_FILE}", text.encode()
    if settled.pattern == "function":
        yield (
            f"own/{ENTRY_FILE}",
            entry_text(settled.value("entry"), str(settled.metric.get("name", "result"))).encode(),
        )


def notes_about(settled: Settled, plan: ArgumentPlan | None) -> Iterator[str]:
    """What a person should know: what was added to the command and why, and the warnings of the findings."""
    for key, why in (plan.reasons if plan else {}).items():
        yield f"{key} is set to {plan.fixed[key] if plan else ''}, {why}"
    if has_constant_seed(settled):
        yield f"the seed is a constant ({settled.finding('seed').value['constant']}): the number will not vary"
    yield from notes_about_configs(settled, plan)
    evaluation = settled.finding("evaluation").value or {}
    if evaluation.get("shared"):
        yield (
            f"{evaluation['file']} computes the metric and may change: give a command that scores what a run saves "
            "(--evaluate), or protect it"
        )


def notes_about_configs(settled: Settled, plan: ArgumentPlan | None) -> Iterator[str]:
    """Which values of a file that may change are given by the command line, so that an edit of them does nothing."""
    program, arguments = settled.look.program, {*plan.fixed, *plan.changeable} if plan else set()
    places = (option.where.rpartition(":")[0] for option in program.defaults.values())
    for path in dict.fromkeys(place for place in places if place not in program.python_files):
        keys = overridden_keys(program, path, arguments) if matches(path, tuple(settled.mutable)) else []
        if keys:
            yield f"{path}: an edit of {', '.join(keys)} has no effect: the command line gives these values"
