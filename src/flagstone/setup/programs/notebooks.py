"""How a notebook is run: by what is installed of the two tools that can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from flagstone.setup.programs.program import Program
from flagstone.setup.project_finding import ProjectFinding

TOOLS = ("nbconvert", "papermill")


def with_notebook_tool(
    program: Program, command: ProjectFinding, has_module: Callable[[str], bool] | None
) -> tuple[Program, ProjectFinding]:
    """The program and its command, run by the tool that is installed. Other programs stay as they are."""
    if program.runner not in TOOLS or has_module is None or has_module(program.runner):
        return program, command
    if command.confidence == "certain" or not has_module("papermill"):
        note = (
            f"{program.runner} is not installed: install it in the project's environment, "
            f"or save {program.entry} as a script and give that."
        )
        return program, replace(command, confidence="unclear", note=note)
    argv = ("papermill", program.entry, "run.ipynb")
    return replace(program, argv=argv, runner="papermill", first_argument=len(argv)), replace(command, value=list(argv))
