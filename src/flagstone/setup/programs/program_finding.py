"""Finds the program of a project: its command, its entry, how it takes arguments, and what it imports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from flagstone.setup.programs.arguments import arguments_finding, given_arguments
from flagstone.setup.programs.command import (
    CommandCandidate,
    StartableFiles,
    candidate,
    command_candidates,
    command_finding,
    console_scripts,
    rivals_of,
)
from flagstone.setup.programs.entries import EntryPoint, entry_point, entry_points
from flagstone.setup.programs.imports import project_imports
from flagstone.setup.programs.launch import Launch, launch_of
from flagstone.setup.programs.options import called_options, program_options
from flagstone.setup.programs.outputs import outputs_finding
from flagstone.setup.programs.program import Program
from flagstone.setup.programs.resume import resume_finding
from flagstone.setup.programs.runner import runner_finding
from flagstone.setup.programs.seed import seed_finding
from flagstone.setup.programs.shell_lines import ShellLine
from flagstone.setup.project_finding import Certainty, LostCandidate, ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.setup.repository import newest_paths

MOST_LOST = 8
GIVEN = "the command line"
SAID: dict[str, Any] = {"confidence": "certain", "evidence": (GIVEN,), "lost": ()}
STARTS = ("command", "entry", "runner")


def find_program(
    tree: ProjectTree, argv: Sequence[str] = (), entry: str = ""
) -> tuple[Program, dict[str, ProjectFinding]]:
    """The program that trains, and everything that was found out about how it is started.

    `argv` and `entry` are the command and the file that a person named: they beat what is found.
    """
    entries = entry_points(tree)
    if entry:
        entries = [entry_point(tree, entry) or EntryPoint(entry, "none", "custom", (9,))]
    candidates = [given_command(tree, argv, entries)] if argv else command_candidates(tree, entries)
    candidates = [each for each in candidates if argv or not entry or each.entry == entry]
    chosen = next((each for each in candidates if argv or not each.launch.is_multi_node), None)
    start = chosen_entry(tree, chosen, entries)
    program = program_of(tree, chosen, start)
    command = command_finding(chosen, candidates, start.path if start else "")
    if needed := missing_arguments(tree, program):
        note = f"{program.entry} also needs {', '.join(needed[:5])}."
        command = replace(command, confidence="unclear", note=note)
    found = entry_finding(chosen, start, entries, [] if chosen is None else rivals_of(chosen, candidates))
    if found.confidence == "unclear":
        command = replace(command, confidence="unclear")
    findings: tuple[ProjectFinding, ...] = (
        command,
        found,
        runner_finding(chosen, program),
        arguments_finding(program),
        resume_finding(tree, program),
        seed_finding(tree, program),
        outputs_finding(tree, program),
    )
    if argv:
        findings = tuple(each if each.id not in STARTS else replace(each, **SAID) for each in findings)
    return program, {finding.id: finding for finding in findings}


def given_command(tree: ProjectTree, argv: Sequence[str], entries: Sequence[EntryPoint]) -> CommandCandidate:
    """The command that a person gave. It may start anything."""
    line = ShellLine(tuple(argv), GIVEN, 0, 0)
    launch = launch_of(argv) or Launch(argv[0], argv[0], 1)
    files = StartableFiles(tree, entries, console_scripts(tree))
    return candidate(files, line) or CommandCandidate(line, launch, files.any_file_of(line, launch), tuple(argv))


def chosen_entry(
    tree: ProjectTree, chosen: CommandCandidate | None, entries: Sequence[EntryPoint]
) -> EntryPoint | None:
    if chosen is None:
        equal = [each for each in entries if each.rank == entries[0].rank]
        newest = newest_paths(tree.root) if len(equal) > 1 else []
        places = {path: place for place, path in enumerate(newest)}
        return min(equal, key=lambda each: places.get(each.path, len(places)), default=None)
    found = entry_point(tree, chosen.entry) if chosen.entry.endswith(".py") else None
    return found or EntryPoint(chosen.entry, "none", "custom", (9,))


def program_of(tree: ProjectTree, chosen: CommandCandidate | None, start: EntryPoint | None) -> Program:
    if start is None:
        return Program()
    argv = chosen.words if chosen else ("python", start.path)
    first = chosen.launch.first if chosen else 2
    imports = project_imports(tree, start.path) if start.path.endswith(".py") else ()
    if start.pattern == "function":
        options = {each.name: each for each in called_options(tree, start.path, start.function)}
    else:
        options = program_options(tree, start.path, start.parser, imports, argv[first:])
    program = Program(
        argv=argv,
        env=chosen.line.env if chosen else {},
        entry=start.path,
        pattern=start.pattern,
        runner=chosen.launch.runner if chosen else "python",
        parser=start.parser,
        defaults=options,
        imports=imports,
        first_argument=first,
    )
    return replace(program, arguments=given_arguments(program)[0])


def missing_arguments(tree: ProjectTree, program: Program) -> list[str]:
    """The arguments that the program requires and the command does not give, as far as one parser decides that."""
    if program.parser not in ("argparse", "click", "typer", "tyro") or "subparsers" in tree.text(program.entry):
        return []
    words = len(given_arguments(program)[1])
    own = [option for option in program.defaults.values() if option.where.startswith(f"{program.entry}:")]
    required = [option for option in own if option.is_required]
    positional = [option.name for option in required if option.is_positional]
    return positional[words:] + [
        option.name for option in required if not option.is_positional and option.name not in program.arguments
    ]


def entry_finding(
    chosen: CommandCandidate | None,
    start: EntryPoint | None,
    entries: Sequence[EntryPoint],
    rivals: Sequence[CommandCandidate],
) -> ProjectFinding:
    """The entry. Two that look alike, or that a document starts alike, leave it unclear."""
    if start is None:
        return ProjectFinding("entry", None, "none")
    rival = {each.entry for each in rivals}
    others = sorted((each for each in entries if each.path != start.path), key=lambda each: each.path not in rival)
    lost = tuple(LostCandidate(entry_value(each), reason(each, start, chosen)) for each in others[:MOST_LOST])
    has_equal = any(each.rank <= start.rank for each in others)
    confidence: Certainty = "certain" if chosen and not chosen.why_not else "unclear" if has_equal else "likely"
    confidence = "unclear" if rivals else confidence
    evidence = tuple(dict.fromkeys([start.where, *([chosen.line.where] if chosen else [])]))
    return ProjectFinding("entry", entry_value(start), confidence, evidence, lost)


def entry_value(entry: EntryPoint) -> dict[str, str]:
    named = {"function": entry.function} if entry.pattern == "function" else {}
    return {"file": entry.path, "pattern": entry.pattern, **named}


def reason(each: EntryPoint, start: EntryPoint, chosen: CommandCandidate | None) -> str:
    if chosen:
        return f"the command in {chosen.line.path} starts {start.path}"
    return "it looks as much like a training" if each.rank <= start.rank else "it looks less like a training"
