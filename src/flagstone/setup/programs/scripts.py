"""The commands that would train in a project whose programs are not written in Python."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from flagstone.setup.programs.entries import is_other_task, name_rank
from flagstone.setup.programs.shell_lines import ShellLine, shell_lines
from flagstone.setup.project_tree import ProjectTree

TARGET = re.compile(r"@?(train|training|fit|run-training)\b[^:=]*:(?!=)")
SCRIPT = re.compile(r"(.*/)?(train\w*|fit|run)\.sh")
RECIPE = re.compile(r"(.*/)?(\.?justfile|[Mm]akefile)")


def script_lines(tree: ProjectTree) -> Iterator[ShellLine]:
    """What a recipe called train runs, then the shell scripts that are called so."""
    for line in shell_lines(tree):
        if RECIPE.fullmatch(line.path) and is_of_training(tree.text(line.path).splitlines(), line.line):
            yield line
    for order, path in enumerate(sorted(tree.ending(".sh"), key=name_rank)):
        if SCRIPT.fullmatch(path) and not is_other_task(path):
            start = (f"./{path}",) if os.access(tree.root / path, os.X_OK) else ("bash", path)
            yield ShellLine(start, path, 1, 3000 + order, is_inline=True)


def is_of_training(lines: list[str], number: int) -> bool:
    """Whether a line of a Makefile or justfile is the recipe of a target called like a training."""
    if not lines[number - 1].startswith(("\t", " ")):
        return False
    targets = (line for line in reversed(lines[: number - 1]) if line.strip() and not line.startswith(("\t", " ", "#")))
    return bool(TARGET.match(next(targets, "")))
