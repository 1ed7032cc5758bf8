"""How a training goes on from a checkpoint: the argument, the key or the constant that says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flagstone.setup.programs import Program
from flagstone.setup.programs.options import ProgramOption, plain_name
from flagstone.setup.project_finding import Certainty, LostCandidate, ProjectFinding
from flagstone.setup.project_tree import ProjectTree

# in the order of how likely the name means it
NAMES = (
    r"resume_from_checkpoint",
    r"resume(_from|_path|_checkpoint|_ckpt)?",
    r"ckpt_path",
    r"resume_.*",
    r"init_from",
    r"load|load_(from|path|checkpoint|ckpt|model)|checkpoint|snapshot_path|restore.*",
    r"pretrained_checkpoint",
)


def resume_finding(tree: ProjectTree, program: Program) -> ProjectFinding:
    found = sorted(resume_options(program), key=lambda each: each[0])
    if not found:
        return ProjectFinding("resume", None, "none")
    (_, first), *others = found
    lost = tuple(
        LostCandidate(resume_value(each, program), f"{first.name} comes first ({each.where})") for _, each in others
    )
    confidence: Certainty = (
        "unclear" if others and others[0][0] == found[0][0] else "certain" if found[0][0] < 3 else "likely"
    )
    return ProjectFinding("resume", resume_value(first, program), confidence, (first.where,), lost)


def resume_options(program: Program) -> Iterator[tuple[int, ProgramOption]]:
    for option in program.defaults.values():
        name = plain_name(option.name)
        rank = next((rank for rank, pattern in enumerate(NAMES) if re.fullmatch(pattern, name)), None)
        if rank is not None:
            yield rank, option


def resume_value(option: ProgramOption, program: Program) -> dict[str, Any]:
    """How the option is given, and whether it wants a path rather than yes or a number."""
    if program.parser == "hydra":
        how = {"key": option.name}
    elif program.parser == "configurator":
        how = {"variable": option.name}
    else:
        how = {"flag": f"--{option.name}"}
    is_path = option.kind in ("any", "text") and not isinstance(option.default, bool) and option.name != "init_from"
    return {**how, "is_path": is_path}
