"""Looks at a project without running any of it: what starts a training, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from flagstone.setup.environments import EnvironmentReport, report_environment
from flagstone.setup.programs import Program, find_program, with_notebook_tool
from flagstone.setup.project_finding import ProjectFinding
from flagstone.setup.project_tree import ProjectTree, project_tree
from flagstone.setup.results import (
    checkpoint_finding,
    evaluation_finding,
    framework_finding,
    goal_finding,
    metric_finding,
    mutable_finding,
    seconds_finding,
)

ORDER = (
    "command",
    "entry",
    "runner",
    "environment",
    "framework",
    "metric",
    "checkpoint",
    "resume",
    "arguments",
    "seed",
    "outputs",
    "mutable",
    "evaluation",
    "goal",
    "seconds",
)


@dataclass(frozen=True)
class LookRequest:
    """What a person said before the look: the command, the entry and the interpreter that are meant."""

    argv: Sequence[str] = ()
    entry: str = ""
    python: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ProjectLook:
    """Everything that was found out about a project. `skipped` names what could not be read, with the reason."""

    root: Path
    tree: ProjectTree
    program: Program
    environment: EnvironmentReport
    findings: Mapping[str, ProjectFinding]
    skipped: tuple[str, ...] = ()


def look_at(root: Path, asked: LookRequest | None = None) -> ProjectLook:
    """Looks at the project below a folder. Reads files only."""
    asked = asked or LookRequest()
    tree = project_tree(root)
    program, found = find_program(tree, asked.argv, asked.entry)
    environment = report_environment(tree, program, asked.environ, asked.python)
    has_module = environment.chosen.packages.has if environment.chosen else None
    program, found["command"] = with_notebook_tool(program, found["command"], has_module)
    found["runner"] = replace(found["runner"], value=program.runner or None)
    metric = metric_finding(tree, program)
    results = (
        environment.finding,
        framework_finding(tree, program, has_module),
        metric,
        checkpoint_finding(tree, program),
        mutable_finding(tree, program),
        evaluation_finding(tree, program),
        goal_finding(tree, metric),
        seconds_finding(tree, program),
    )
    found |= {finding.id: finding for finding in results}
    findings = {name: found[name] for name in ORDER if name in found}
    skipped = tuple(f"{path}: {why}" for path, why in sorted(tree.skipped.items()))
    return ProjectLook(root, tree, program, environment, findings, skipped)
