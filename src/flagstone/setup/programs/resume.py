"""How a training goes on from a checkpoint: the argument, the key or the constant that says so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from flagstone.setup.programs.options import ProgramOption, plain_name
from flagstone.setup.programs.program import Program
from flagstone.setup.project_finding import Certainty, LostCandidate, ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.syntax import (
    called_name,
    calls,
)

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
    own, where = own_resumption(tree, program)
    note = f"It goes on by itself from {own} if that exists: a stale one would be a false start." if own else ""
    if not found:
        return ProjectFinding("resume", None, "none", (where,) if own else (), (), note)
    (_, first), *others = found
    lost = tuple(
        LostCandidate(resume_value(each, program), f"{first.name} comes first ({each.where})") for _, each in others
    )
    confidence: Certainty = (
        "unclear" if others and others[0][0] == found[0][0] else "certain" if found[0][0] < 3 else "likely"
    )
    return ProjectFinding("resume", resume_value(first, program), confidence, (first.where,), lost, note)


def own_resumption(tree: ProjectTree, program: Program) -> tuple[str, str]:
    """The file from which a training goes on without being told to, and where it does so."""
    for path in (program.entry, *program.imports):
        if not re.search(r"exists\(|isfile\(|is_file\(", tree.text(path)) or not path.endswith(".py"):
            continue
        for node in ast.walk(tree.syntax(path) or ast.Module([], [])):
            if isinstance(node, ast.If) and re.search(r"(exists|isfile|is_file)\(", test := ast.unparse(node.test)):
                is_checkpoint = re.search(r"snapshot|checkpoint|ckpt|resume", test, re.IGNORECASE)
                is_loading = any(re.search(r"load|restore", called_name(each)) for each in calls(node))
                if is_checkpoint and is_loading and (name := file_name(tree, program, test)):
                    return name, f"{path}:{node.lineno}"
    return "", ""


def file_name(tree: ProjectTree, program: Program, test: str) -> str:
    """The name of a checkpoint as a default in the project spells it. Returns '' if a person has to name it."""
    name = re.findall(r"\w*(?:snapshot|checkpoint|ckpt|resume)\w*", test, re.IGNORECASE)[-1]
    default = re.compile(rf"\b{name}\b[^=\n]{{0,20}}=\s*[\"']([^\"']+)")
    texts = [tree.text(path) for path in (program.entry, *program.imports)]
    spelled = [option.default for option in program.defaults.values() if plain_name(option.name) == name]
    spelled += [found[1] for text in texts if (found := default.search(text))]
    return next((each for each in spelled if isinstance(each, str) and re.search(r"[./]", each)), "")


def resume_options(program: Program) -> Iterator[tuple[int, ProgramOption]]:
    for option in program.defaults.values():
        if option.is_positional:
            continue
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
