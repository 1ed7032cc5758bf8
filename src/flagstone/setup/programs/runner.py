"""What starts the processes of a training, and how many it starts."""

from __future__ import annotations

from flagstone.setup.programs.command import CommandCandidate
from flagstone.setup.programs.launch import launch_of
from flagstone.setup.programs.program import Program
from flagstone.setup.project_finding import ProjectFinding


def runner_finding(chosen: CommandCandidate | None, program: Program) -> ProjectFinding:
    if chosen is None:
        return ProjectFinding("runner", program.runner or None, "likely" if program.runner else "none")
    return ProjectFinding("runner", program.runner, "certain", (chosen.line.where,), (), note_of(chosen))


def note_of(chosen: CommandCandidate) -> str:
    processes = chosen.launch.processes
    if processes in ("gpu", "auto"):
        return "It starts one process for every GPU of the machine."
    if processes.isdigit() and int(processes) > 1:
        return f"It starts {processes} processes, each of which takes a GPU."
    if chosen.launch.runner == "uv run":
        return "uv run would change the environment: the interpreter is started by its path, or with --no-sync."
    return ""


def process_count(program: Program) -> int:
    """How many processes the command starts, as far as it says."""
    launch = launch_of(program.argv)
    return int(launch.processes) if launch and launch.processes.isdigit() else 1
