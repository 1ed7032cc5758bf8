"""The findings as they hold once answers are given: what a person said stands in the place of what was found."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from flagstone.setup.interview.command_words import argument_plan
from flagstone.setup.interview.proposal import metric_part
from flagstone.setup.interview.settled import Settled
from flagstone.setup.project_finding import ProjectFinding

HELD = ("entry", "framework", "metric", "checkpoint", "resume", "arguments", "mutable", "goal", "seconds")
BY_FLAG, BY_FILE = "the command line", "the answers"


def held_findings(settled: Settled, flags: Collection[str]) -> Iterator[ProjectFinding]:
    """Every finding with the value that will be written. `flags` are the ids of what the command line answers."""
    for each in settled.look.findings.values():
        keys = [key for key in (each.id, *(("backend",) if each.id == "metric" else ())) if key in settled.answers]
        if each.id in HELD and keys:
            source = BY_FLAG if any(key in flags for key in keys) else BY_FILE
            yield ProjectFinding(each.id, held_value(settled, each.id), "certain", (source,))
        elif each.id == "goal" and settled.goal:
            place = ("--topic",) if settled.topic else each.evidence[:1]
            yield replace(each, value=settled.goal, evidence=place)
        else:
            yield each


def held_value(settled: Settled, name: str) -> Any:
    if name == "metric":
        return metric_part(settled)
    if name == "arguments":
        plan = argument_plan(settled)
        return plan and {"style": plan.style, "fixed": dict(plan.fixed), "changeable": dict(plan.changeable)}
    return None if settled.answers[name] == "none" else settled.answers[name]
