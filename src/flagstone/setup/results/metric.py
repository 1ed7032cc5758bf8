"""The number that a run is judged by: its name, its direction, and where it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flagstone.setup.programs import Program
from flagstone.setup.project_finding import Certainty, LostCandidate, ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.numbers import BY_SPLIT, TEST, TRAINING, NumberGroup, find_numbers, lightning_reading

MOST_LOST, MOST_EVIDENCE = 6, 4


def metric_finding(tree: ProjectTree, program: Program) -> ProjectFinding:
    """The first validation metric, preferring what the project itself decides by."""
    numbers, limits = tree.once(f"numbers of {program.entry}", lambda: find_numbers(tree, program))
    if not numbers:
        return ProjectFinding("metric", None, "none", note="No printed or logged number was found.")
    first, *others = numbers
    value, doubt = value_of(tree, program, first)
    value |= {"constraints": limits} if limits else {}
    # whoever prefers another number has it read where that one is found
    lost = tuple(LostCandidate(value_of(tree, program, each)[0], each.why_not(first)) for each in others[:MOST_LOST])
    evidence = first.evidence[:MOST_EVIDENCE]
    return ProjectFinding("metric", value, certainty(first, value, doubt), evidence, lost, doubt or remark_on(first))


def value_of(tree: ProjectTree, program: Program, group: NumberGroup) -> tuple[dict[str, Any], str]:
    """The metric as a spec has it, and why it is doubtful. The second is '' if nothing is."""
    best = group.best
    value: dict[str, Any] = {"name": best.name, "direction": group.direction, "backend": best.backend or "auto"}
    if best.backend == "lightning":
        value, doubt = lightning_reading(tree, program, value)
        return value, doubt_about(group) or doubt
    if program.entry.endswith(".ipynb") and best.backend == "log" and "--log-output" not in program.argv:
        return value, "What cells print stays in the notebook: papermill --log-output prints it, or write a JSON file."
    return {**value, **best.options}, doubt_about(group)


def doubt_about(group: NumberGroup) -> str:
    """Why a number may be the wrong one to decide by. Returns '' if nothing speaks against it."""
    best = group.best
    if group.is_running:
        return f"{best.name} is the best so far: runs of different length cannot be compared by it."
    if group.split >= TEST:
        return f"Only a number of the {BY_SPLIT[group.split]} data was found: it should not decide."
    if best.source == "bar":
        return f"Only a progress bar shows {best.name}."
    if "episod" in best.name:
        return f"{best.name} is noisy: its last value is that of one episode."
    if best.backend == "custom":
        return f"{best.name} is in files of MLflow, which code of your own has to read: --backend custom --code FILE."
    return "" if best.backend else f"{best.name} is decided by, but nothing prints or logs it."


def remark_on(group: NumberGroup) -> str:
    """What is good to know, and no reason to ask. Returns '' if there is nothing."""
    is_mixed = group.best.backend == "log" and TRAINING in {each.split for each in group.found}
    return f"{group.best.name} is printed for the training data too: the last value in the log counts." * is_mixed


def certainty(group: NumberGroup, value: Mapping[str, Any], doubt: str) -> Certainty:
    if value["direction"] is None or doubt:
        return "unclear"
    return "certain" if {"monitor", "trace", "best"} & group.sources else "likely"
