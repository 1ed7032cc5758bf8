"""Looks at a project without running any of it: what starts a training, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flagstone.setup.programs import Program, find_program
from flagstone.setup.project_finding import ProjectFinding
from flagstone.setup.project_tree import ProjectTree, project_tree

ORDER = (
    "command",
    "entry",
    "runner",
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
class ProjectLook:
    """Everything that was found out about a project. `skipped` names what could not be read, with the reason."""

    root: Path
    tree: ProjectTree
    program: Program
    findings: Mapping[str, ProjectFinding]
    skipped: tuple[str, ...] = ()


def look_at(root: Path) -> ProjectLook:
    """Looks at the project below a folder. Reads files only."""
    tree = project_tree(root)
    program, found = find_program(tree)
    findings = {name: found[name] for name in ORDER if name in found}
    return ProjectLook(
        root, tree, program, findings, tuple(f"{path}: {why}" for path, why in sorted(tree.skipped.items()))
    )
