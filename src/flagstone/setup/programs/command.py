"""The command that trains: the project's own words, as its documents have them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from flagstone.setup.programs.entries import EntryPoint, is_other_task, name_rank
from flagstone.setup.programs.imports import module_file
from flagstone.setup.programs.launch import Launch, launch_of
from flagstone.setup.programs.scripts import script_lines
from flagstone.setup.programs.shell_lines import ShellLine, line_of, shell_lines
from flagstone.setup.project_finding import Certainty, LostCandidate, ProjectFinding
from flagstone.setup.project_tree import ProjectTree
from flagstone.text import one_line

MOST_LOST = 8
NOTEBOOK_WORDS = ("jupyter", "nbconvert", "--to", "notebook", "--execute")
SOURCES = (".py", ".ipynb")
FILE_ARGUMENT = re.compile(r"[\w./-]+\.(py|ya?ml|json|toml)")


@dataclass(frozen=True)
class CommandCandidate:
    """A command that starts a training. `why_not` is what speaks against it; the smaller its rank, the better."""

    line: ShellLine
    launch: Launch
    entry: str
    words: tuple[str, ...]
    rank: tuple[int, ...] = ()
    why_not: str = ""


@dataclass(frozen=True)
class StartableFiles:
    """What a command of the project can start: its files, its modules, and the scripts that it installs."""

    tree: ProjectTree
    entries: Sequence[EntryPoint]
    scripts: Mapping[str, str]

    def entry_of(self, line: ShellLine, launch: Launch) -> tuple[str, bool]:
        """The file that a command runs, and whether it stands there. Returns '' if it is none of the project's."""
        if launch.is_module:
            below = f"{line.folder}/x" if line.folder else ""
            main = module_file(self.tree, f"{launch.target}.__main__", below)
            return main or module_file(self.tree, launch.target, below), True
        for folder in dict.fromkeys([line.folder, "", PurePosixPath(line.path).parent.as_posix()]):
            path = plain_path(folder, launch.target)
            if path in self.tree and re.search(r"\.(py|sh|ipynb)$", path):
                return path, True
        if launch.target in self.scripts:
            return self.scripts[launch.target], True
        same_name = [entry.path for entry in self.entries if PurePosixPath(entry.path).name == launch.target]
        return (same_name[0], False) if same_name else ("", False)

    def any_file_of(self, line: ShellLine, launch: Launch) -> str:
        """The file that a command runs, whatever it is. Returns '' if it is none of the project's."""
        path = plain_path(line.folder, launch.target) if "/" in launch.target else ""
        return path if path in self.tree else self.entry_of(line, launch)[0]


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


def console_scripts(tree: ProjectTree) -> dict[str, str]:
    """Each command that the project installs, and the file of its function."""
    found = dict[str, str]()
    for path in (path for path in tree.paths if PurePosixPath(path).name == "pyproject.toml"):
        table = tree.toml(path)
        poetry = part(part(table, "tool"), "poetry")
        for name, target in [*part(part(table, "project"), "scripts").items(), *part(poetry, "scripts").items()]:
            file = module_file(tree, str(target).partition(":")[0], f"{PurePosixPath(path).parent}/x")
            found |= {str(name): file} if file else {}
    return found


def part(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A table within a table of TOML. Returns {} if there is none."""
    found = table.get(name)
    return found if isinstance(found, dict) else {}


def command_candidates(tree: ProjectTree, entries: Sequence[EntryPoint]) -> list[CommandCandidate]:
    """The commands of the project that start one of its trainings, best first."""
    files = StartableFiles(tree, entries, console_scripts(tree))
    found = [each for line in shell_lines(tree) if (each := candidate(files, line))]
    found += [each for line in installed_lines(files) if (each := candidate(files, line))]
    if not entries and not found:
        found = [each for line in notebook_lines(tree) if (each := candidate(files, line))]
    if not entries and not found:
        found = [each for line in script_lines(tree) if (each := script_candidate(files, line))]
    return sorted(found, key=lambda each: each.rank)


def notebook_lines(tree: ProjectTree) -> Iterator[ShellLine]:
    """The commands that would run the notebooks of a project that has no scripts."""
    for order, path in enumerate(sorted(tree.ending(".ipynb"), key=name_rank)):
        if not is_other_task(path):
            yield ShellLine((*NOTEBOOK_WORDS, path), path, 1, 3000 + order, is_inline=True)


def installed_lines(files: StartableFiles) -> Iterator[ShellLine]:
    """The installed scripts as commands of their own, after everything that a document says."""
    for path in (path for path in files.tree.paths if PurePosixPath(path).name == "pyproject.toml"):
        text = files.tree.text(path)
        table = max(0, text[: text.find("scripts]")].count("\n"))
        for name in (name for name in files.scripts if name in text):
            yield ShellLine((name,), path, line_of(text, name, table), 2000)


def candidate(files: StartableFiles, line: ShellLine) -> CommandCandidate | None:
    launch = launch_of(line.words)
    entry, is_there = files.entry_of(line, launch) if launch else ("", False)
    if launch is None or not entry or (is_other_task(entry) and not entry.endswith(".ipynb")):
        return None
    words = own_words(line, launch, entry)
    why_not = reason_against(files.tree, line, launch, is_there)
    is_hydra = any(each.parser == "hydra" and each.path == entry for each in files.entries)
    overrides = len(words) - launch.first if is_hydra else 0
    doubts = (
        launch.is_multi_node,
        not is_there,
        name_rank(entry)[0] == 3,
        line.is_dry or line.is_evaluation,
        entry.endswith(".sh"),
        line.is_inline,
        bool(why_not),
        overrides,  # Hydra's configuration is whole without any: those in a document are examples
        line.order,
        line.line,
    )
    return CommandCandidate(line, launch, entry, words, tuple(map(int, doubts)), why_not)


def script_candidate(files: StartableFiles, line: ShellLine) -> CommandCandidate | None:
    """A command of a recipe or script that trains, whatever it starts."""
    if not (launch := launch_of(line.words)):
        return None
    doubts = (line.has_placeholder, line.is_inline, line.order, line.line)
    why_not = "it has a placeholder" if line.has_placeholder else ""
    return CommandCandidate(line, launch, files.any_file_of(line, launch), line.words, tuple(map(int, doubts)), why_not)


def own_words(line: ShellLine, launch: Launch, entry: str) -> tuple[str, ...]:
    """The words of a command as they are typed in the root of the project."""
    if launch.is_module or not entry.endswith(PurePosixPath(launch.target).name):
        return line.words
    at = line.words.index(launch.target)
    path = f"./{entry}" if at == 0 else entry
    return (*line.words[:at], path, *line.words[at + 1 :])


def reason_against(tree: ProjectTree, line: ShellLine, launch: Launch, is_there: bool) -> str:
    """What speaks against a command. Returns '' if nothing does."""
    if launch.is_multi_node:
        return "it needs several machines"
    if not is_there:
        return f"there is no file {launch.target} where it is said to be started"
    if line.is_dry:
        return "it only tries whether the program works"
    if line.is_evaluation:
        return "it evaluates"
    if line.has_placeholder:
        return "it has a placeholder"
    missing = next((word for word in line.words[launch.first :] if is_missing_file(tree, line, word)), "")
    return f"there is no {missing}" if missing else ""


def is_missing_file(tree: ProjectTree, line: ShellLine, word: str) -> bool:
    """True for the path of a configuration file that does not exist, also of one that Hydra would look up."""
    path = word.partition("=")[2] or word
    if not FILE_ARGUMENT.fullmatch(path) or path.startswith("/"):
        return False
    folders = dict.fromkeys([line.folder, "", PurePosixPath(line.path).parent.as_posix()])
    return not any(plain_path(folder, path) in tree for folder in folders) and not is_output(word)


def is_output(word: str) -> bool:
    return bool(re.match(r"--?(out|save|log|result|dump)", word))


def rivals_of(chosen: CommandCandidate, others: Sequence[CommandCandidate]) -> list[CommandCandidate]:
    """The commands that start another training and look as good, of the same document or of other folders' ones."""
    doubts = slice(0, len(chosen.rank) - 2)
    paths = {chosen.line.path} if "/" not in chosen.line.path else {each.line.path for each in others} - {"README.md"}
    same = [each for each in others if each.line.path in paths and each.entry != chosen.entry]
    return [each for each in same if each.rank[doubts] == chosen.rank[doubts]]


def command_finding(chosen: CommandCandidate | None, others: Sequence[CommandCandidate], entry: str) -> ProjectFinding:
    """The command that trains, and those that were not taken, each with the reason."""
    lost = tuple(
        LostCandidate(list(each.words), f"{each.why_not or 'another one comes first'} ({each.line.where})")
        for each in others
        if chosen is None or each.words != chosen.words
    )[:MOST_LOST]
    if chosen is None:
        value = ["python", entry] if entry else None
        note = "No document says how the training is started." if entry else ""
        where = (f"{entry}:1",) if entry else ()
        return ProjectFinding("command", value, "likely" if entry else "none", where, lost, note)
    is_guess = chosen.why_not or chosen.line.is_inline or not chosen.entry.endswith(SOURCES)
    certainty: Certainty = "likely" if is_guess else "certain"
    certainty = "unclear" if rivals_of(chosen, others) else certainty
    return ProjectFinding("command", list(chosen.words), certainty, (chosen.line.where,), lost, note_of(chosen))


def note_of(chosen: CommandCandidate) -> str:
    if chosen.line.has_placeholder:
        return "The command has a placeholder to fill in."
    if chosen.line.path == chosen.entry and chosen.entry.endswith(".ipynb"):
        return "Only notebooks train here."
    if not chosen.entry.endswith(SOURCES):
        return "It is not Python: what it reads and writes cannot be seen."
    folder, target = f"{chosen.line.folder}/", chosen.launch.target
    if chosen.entry.startswith(folder) and not target.startswith(folder):
        return f"The command was written for the folder {one_line(chosen.line.folder, 40)}."
    return ""
