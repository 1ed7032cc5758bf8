"""The number that a run is judged by: its name, its direction, and where it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flagstone.setup.programs import Program
from flagstone.setup.project_finding import Certainty, LostCandidate, ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.results.numbers import BY_SPLIT, TEST, NumberGroup, find_numbers, lightning_reading

MOST_LOST, MOST_EVIDENCE = 6, 4


def metric_finding(tree: ProjectTree, program: Program) -> ProjectFinding:
    """The first validation metric, preferring what the project itself decides by."""
    numbers, limits = find_numbers(tree, program)
    if not numbers:
        return ProjectFinding("metric", None, "none", note="No printed or logged number was found.")
    first, *others = numbers
    value, note = value_of(tree, program, first)
    value |= {"constraints": limits} if limits else {}
    lost = tuple(
        LostCandidate({"name": each.best.name, "direction": each.direction}, each.why_not(first))
        for each in others[:MOST_LOST]
    )
    return ProjectFinding("metric", value, certainty(first, value, note), first.evidence[:MOST_EVIDENCE], lost, note)


def value_of(tree: ProjectTree, program: Program, group: NumberGroup) -> tuple[dict[str, Any], str]:
    """The metric as a spec has it, and a warning."""
    best = group.best
    value: dict[str, Any] = {"name": best.name, "direction": group.direction, "backend": best.backend or "auto"}
    if best.backend == "lightning":
        value, note = lightning_reading(tree, program, value)
        return value, warning(group) or note
    if program.entry.endswith(".ipynb") and best.backend == "log" and "--log-output" not in program.argv:
        return value, "What cells print stays in the notebook: papermill --log-output prints it, or write a JSON file."
    return {**value, **best.options}, warning(group)


def warning(group: NumberGroup) -> str:
    if group.is_running:
        return f"{group.best.name} is the best so far: runs of different length cannot be compared by it."
    if group.split >= TEST:
        return f"Only a number of the {BY_SPLIT[group.split]} data was found: it should not decide."
    if group.best.source == "bar":
        return f"Only a progress bar shows {group.best.name}."
    if "episod" in group.best.name:
        return f"{group.best.name} is noisy: its last value is that of one episode."
    return "" if group.best.backend else f"{group.best.name} is decided by, but nothing prints or logs it."


def certainty(group: NumberGroup, value: Mapping[str, Any], note: str) -> Certainty:
    if value["direction"] is None or note:
        return "unclear"
    return "certain" if {"monitor", "trace", "best"} & group.sources else "likely"
