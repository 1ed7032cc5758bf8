"""The command that trains: the project's own words, as its documents have them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from flagstone.setup.programs.entries import EntryPoint, is_other_task
from flagstone.setup.programs.imports import module_file
from flagstone.setup.programs.launch import Launch, launch_of
from flagstone.setup.programs.shell_lines import ShellLine, shell_lines
from flagstone.setup.project_finding import Certainty, LostCandidate, ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.text import one_line

MOST_LOST = 8


@dataclass(frozen=True)
class CommandCandidate:
    """A command that starts a training. `why_not` is what speaks against it; the smaller its rank, the better."""

    line: ShellLine
    launch: Launch
    entry: str
    words: tuple[str, ...]
    rank: tuple[int, ...] = ()
    why_not: str = ""


def command_candidates(tree: ProjectTree, entries: Sequence[EntryPoint]) -> list[CommandCandidate]:
    """The commands of the project that start one of its trainings, best first."""
    found = [each for line in shell_lines(tree) if (each := candidate(tree, line, entries))]
    return sorted(found, key=lambda each: each.rank)


def candidate(tree: ProjectTree, line: ShellLine, entries: Sequence[EntryPoint]) -> CommandCandidate | None:
    launch = launch_of(line.words)
    if launch is None:
        return None
    entry, is_exact = entry_file(tree, line, launch, entries)
    if not entry or (is_other_task(entry) and not entry.endswith(".ipynb")):
        return None
    words = line.words
    if not launch.is_module and not is_script(tree, launch):
        at = line.words.index(launch.target)
        words = (*line.words[:at], entry, *line.words[at + 1 :])
    why_not = reason_against(line, launch, is_exact)
    is_indirect = entry.endswith(".sh")
    rank = (
        launch.is_multi_node,
        not is_exact,
        is_indirect,
        line.is_inline,
        line.has_placeholder,
        line.order,
        line.line,
    )
    return CommandCandidate(line, launch, entry, words, tuple(map(int, rank)), why_not)


def reason_against(line: ShellLine, launch: Launch, is_exact: bool) -> str:
    if launch.is_multi_node:
        return "it needs several machines"
    if not is_exact:
        return f"there is no file {launch.target} where it is said to be started"
    return "it has a placeholder" if line.has_placeholder else ""


def entry_file(tree: ProjectTree, line: ShellLine, launch: Launch, entries: Sequence[EntryPoint]) -> tuple[str, bool]:
    """The file that a command runs, and whether it stands exactly there. Returns '' if it is none of the project's."""
    if launch.is_module:
        main = module_file(tree, f"{launch.target}.__main__")
        file = main or module_file(tree, launch.target)
        return file, True
    for folder in dict.fromkeys([line.folder, "", PurePosixPath(line.path).parent.as_posix()]):
        path = plain_path(folder, launch.target)
        if path in tree and re.search(r"\.(py|sh|ipynb)$", path):
            return path, True
    if script := script_file(tree, launch):
        return script, True
    same_name = [entry.path for entry in entries if PurePosixPath(entry.path).name == launch.target]
    return (same_name[0], False) if same_name else ("", False)


def plain_path(folder: str, target: str) -> str:
    """A path as the tree has it. Returns '' if it leads out of the project."""
    parts = list[str]()
    for part in PurePosixPath(folder, target).parts:
        if part == ".." and not parts:
            return ""
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def is_script(tree: ProjectTree, launch: Launch) -> bool:
    return bool(script_file(tree, launch))


def script_file(tree: ProjectTree, launch: Launch) -> str:
    """The file behind a name of [project.scripts]."""
    return dict(console_scripts(tree)).get(launch.target, "")


def console_scripts(tree: ProjectTree) -> Iterator[tuple[str, str]]:
    """Each command that the project installs, and the file of its function."""
    for path in tree.paths:
        if PurePosixPath(path).name != "pyproject.toml":
            continue
        scripts = tree.toml(path).get("project", {}).get("scripts", {})
        for name, target in scripts.items() if isinstance(scripts, dict) else ():
            member = PurePosixPath(path).parent.as_posix()
            if file := module_file(tree, str(target).partition(":")[0], f"{member}/x" if member != "." else ""):
                yield str(name), file


def command_finding(chosen: CommandCandidate | None, others: Sequence[CommandCandidate], entry: str) -> ProjectFinding:
    if chosen is None:
        value = ["python", entry] if entry else None
        note = "No document says how the training is started." if entry else ""
        return ProjectFinding(
            "command", value, "likely" if entry else "none", (f"{entry}:1",) if entry else (), (), note
        )
    lost = [
        LostCandidate(list(each.words), f"{each.why_not or 'another one comes first'} ({each.line.where})")
        for each in others
        if each.words != chosen.words
    ]
    certainty: Certainty = "likely" if chosen.why_not or chosen.line.is_inline else "certain"
    return ProjectFinding(
        "command", list(chosen.words), certainty, (chosen.line.where,), tuple(lost[:MOST_LOST]), note_of(chosen)
    )


def note_of(chosen: CommandCandidate) -> str:
    if chosen.line.has_placeholder:
        return "The command has a placeholder to fill in."
    if chosen.line.folder and not chosen.launch.is_module:
        return f"The command was written for the folder {one_line(chosen.line.folder, 40)}."
    return ""
