"""The shell commands that a project's documents and scripts contain, each with its place."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from markdown_it import MarkdownIt

from flagstone.setup.project_tree import ProjectTree

SHELL = {"", "sh", "bash", "shell", "console", "zsh", "shell-session", "text", "terminal"}
PLACEHOLDER = re.compile(r"<[A-Za-z][^<>]*>|path[/_-]to|\.\.\.|\$\{?[A-Za-z_@0-9*]|\$\(|`|\[[A-Za-z][\w -]*\]|your[_-]")
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
REDIRECTION = re.compile(r"\s(\d?>{1,2}|&>{1,2})\s*(&\d|[^\s&|;]+)")


@dataclass(frozen=True)
class ShellLine:
    """One command. `folder` is where the reader of the document was told to go before; `order` is its precedence."""

    words: tuple[str, ...]
    path: str
    line: int
    order: int
    env: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    has_placeholder: bool = False
    is_inline: bool = False

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"


def shell_lines(tree: ProjectTree) -> Iterator[ShellLine]:
    """Every command that is written down: documents for agents first, then README, then recipes and scripts."""
    for order, path in enumerate(documents(tree)):
        yield from markdown_lines(tree.text(path), path, order)
    for order, path in enumerate(recipes(tree), 1000):
        if path.endswith("launch.json"):
            yield from launch_lines(tree, path, order)
        else:
            yield from script_lines(tree.text(path).splitlines(), path, 1, order)


def documents(tree: ProjectTree) -> list[str]:
    named = ("claude.md", "agents.md", "readme.md", "readme", "readme.rst", "readme.txt", "program.md")
    found = [path for path in tree.paths if PurePosixPath(path).name.lower() in named]
    return sorted(found, key=lambda path: (path.count("/"), named.index(PurePosixPath(path).name.lower()), path))[:40]


def recipes(tree: ProjectTree) -> list[str]:
    kinds = (r"(.*/)?\.?justfile", r"(.*/)?[Mm]akefile", r".*\.sh", r"\.vscode/launch\.json")
    found = [(rank, path) for path in tree.paths for rank, kind in enumerate(kinds) if re.fullmatch(kind, path)]
    return [path for _, path in sorted(found, key=lambda each: (each[0], each[1].count("/"), each[1]))][:60]


def markdown_lines(text: str, path: str, order: int) -> Iterator[ShellLine]:
    """The commands in fenced and indented blocks, then those between backticks."""
    tokens = MarkdownIt().parse(text)
    for token in tokens:
        if token.map and token.type in ("fence", "code_block"):
            shell = token.info.strip().split(" ")[0].lower().strip("{}.")
            if shell in SHELL or token.type == "code_block":
                first = token.map[0] + (2 if token.type == "fence" else 1)
                yield from script_lines(token.content.splitlines(), path, first, order)
    for token in tokens:
        if token.map and token.type == "inline":
            spans = [child.content for child in token.children or () if child.type == "code_inline"]
            for span in spans:
                yield from script_lines([span], path, line_of(text, span, token.map[0]), order, is_inline=True)


def line_of(text: str, span: str, first: int) -> int:
    lines = text.splitlines()
    return next((number for number in range(first, len(lines)) if span in lines[number]), first) + 1


def script_lines(
    lines: list[str], path: str, first: int, order: int, *, is_inline: bool = False
) -> Iterator[ShellLine]:
    """The commands of a script or block, with continuation lines joined."""
    folder, number = "", 0
    while number < len(lines):
        start, line = number, lines[number].strip()
        while line.endswith("\\") and number + 1 < len(lines):
            number += 1
            line = f"{line[:-1].rstrip()} {lines[number].strip()}"
        number += 1
        for words in commands(re.sub(r"^(\$|%|>|@-?|-)\s*(?=\S)", "", line)):
            if words[0] == "cd" and len(words) > 1:
                folder = words[1]
                continue
            env, rest = environment_words(words)
            if rest:
                placeholder = bool(PLACEHOLDER.search(line))
                yield ShellLine(tuple(rest), path, first + start, order, env, folder, placeholder, is_inline)


def commands(line: str) -> list[list[str]]:
    """The words of each command of a line, up to where its output goes."""
    reader = shlex.shlex(REDIRECTION.sub("", line), posix=True, punctuation_chars=True)
    reader.whitespace_split, reader.commenters = True, "#"
    try:
        words = list(reader)
    except ValueError:
        return []
    found, is_open = [list[str]()], True
    for word in words:
        if set(word) <= set("|&;<>()"):
            is_open = word in ("&&", ";", "||", "|", "&")
            found += [[]] if is_open else []
        elif is_open:
            found[-1].append(word)
    return [each for each in found if each]


def environment_words(words: list[str]) -> tuple[dict[str, str], list[str]]:
    """The variables that are set before a command, and the command."""
    env, rest = dict[str, str](), list(words)
    while rest and (ASSIGNMENT.fullmatch(rest[0]) or rest[0] in ("env", "export", "time", "nohup", "exec")):
        name, is_set, value = rest.pop(0).partition("=")
        env |= {name: value} if is_set else {}
    return env, rest


def launch_lines(tree: ProjectTree, path: str, order: int) -> Iterator[ShellLine]:
    """The programs that Visual Studio Code starts."""
    text = tree.text(path)
    try:
        launches = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))["configurations"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    for launch in launches if isinstance(launches, list) else []:
        if not isinstance(launch, dict) or not isinstance(launch.get("args", []), list):
            continue
        program = str(launch.get("program", "")).replace("${workspaceFolder}/", "")
        start = ["python", "-m", str(launch["module"])] if "module" in launch else ["python", program]
        words = (*start, *map(str, launch.get("args", [])))
        yield ShellLine(words, path, line_of(text, program or str(launch.get("module")), 0), order)
