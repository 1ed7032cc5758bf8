"""The shell commands that a project's documents and scripts contain, each with its place."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from markdown_it import MarkdownIt

from flagstone.setup.project_tree import ProjectTree
from flagstone.text import printable_text

LONGEST_DOCUMENT = 100_000
ALL_DOCUMENTS = 500_000
LONGEST_LINE = 4_000
SHELL = {"", "sh", "bash", "shell", "console", "zsh", "shell-session", "text", "terminal"}
# what a reader has to put something else for: <data>, [folder of images], /path/to/data, an unknown $VARIABLE
GAP = re.compile(r"<[A-Za-z/.~][^<>]*>|(?<=\s)\[[A-Za-z][\w-]*[ ][\w -]*\]")
PLACEHOLDER = re.compile(
    r"<[A-Za-z/.~]|\[[A-Za-z][\w-]* |path[/_-]to|\.\.\.|\$|`|\byour[_-]|_NODE\d|FREEPORT|\bXX+\b", re.I
)
DRY = re.compile(r"(--?|^)(dummy|dry[-_]run|fast[-_]dev[-_]run|smoke|debug|overfit|help|profile)([-_=]|$)|^debug=|^-h$")
EVALUATES = re.compile(
    r"(--)?(eval(uate)?|test|predict|validate|generate|sample|export)([-_]only)?(=true)?|(.*/)?eval\w*\.(py|ya?ml)",
    re.I,
)
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
REDIRECTION = re.compile(r"\s(\d?>{1,2}|&>{1,2})\s*(&\d|[^\s&|;]+)")
PROMPT = re.compile(r"^([$%>]\s+|@-?|-(?=[a-z]))")
VARIABLE = re.compile(r"\$\{?(\w+)(?::?[-=]([^}]*))?\}?|\$\((\w+)\)")


@dataclass(frozen=True)
class ShellLine:
    """One command. `folder` is where the reader of the document was told to go before; `order` is its precedence."""

    words: tuple[str, ...]
    path: str
    line: int
    order: int
    env: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    is_inline: bool = False

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}"

    @property
    def has_placeholder(self) -> bool:
        return any(PLACEHOLDER.search(word) for word in (*self.words, *self.env.values()))

    @property
    def is_dry(self) -> bool:
        """True for a command that only tries whether it would work."""
        return any(DRY.search(word) for word in self.words)

    @property
    def is_evaluation(self) -> bool:
        return any(EVALUATES.fullmatch(word) for word in self.words)


def shell_lines(tree: ProjectTree) -> Iterator[ShellLine]:
    """Every command that is written down: documents for agents first, then README, then recipes and scripts."""
    size = 0
    for order, path in enumerate(documents(tree)):
        text = beginning(tree, path)
        size += len(text)
        if size < ALL_DOCUMENTS:
            yield from markdown_lines(text, path, order)
    for order, path in enumerate(recipes(tree), 1000):
        if path.endswith("launch.json"):
            yield from launch_lines(tree, path, order)
        else:
            yield from script_lines(beginning(tree, path), path, 1, order)


def beginning(tree: ProjectTree, path: str) -> str:
    """The text of a document, or as much of it as is read."""
    text = tree.text(path)
    if len(text) > LONGEST_DOCUMENT:
        tree.skipped[path] = "only its first 100 000 characters are read for commands"
    return text[:LONGEST_DOCUMENT]


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
                yield from script_lines(token.content, path, first, order)
    for token in tokens:
        if token.map and token.type == "inline":
            for span in (child.content for child in token.children or () if child.type == "code_inline"):
                first = line_of(text, span, token.map[0])
                yield from (replace(line, is_inline=True) for line in script_lines(span, path, first, order))


def line_of(text: str, span: str, first: int) -> int:
    lines = text.splitlines()
    return next((number for number in range(first, len(lines)) if span in lines[number]), first) + 1


def script_lines(text: str, path: str, first: int, order: int) -> Iterator[ShellLine]:
    """The commands of a script or block, with continuation lines joined and variables filled in."""
    folder, values = "", dict[str, str]()
    for number, line in joined_lines(text.splitlines()):
        values |= make_variable(line)
        for words in commands(with_values(PROMPT.sub("", line), values)):
            if words[0] == "cd" and len(words) > 1:
                folder = "" if "$" in words[1] else words[1]
                continue
            env, rest = environment_words(words)
            if rest:
                yield ShellLine(tuple(rest), path, first + number, order, env, folder)
            else:
                values |= env


def joined_lines(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Each command line with the number of its first line, without the backslashes that continue it."""
    number = 0
    while number < len(lines):
        start, line = number, lines[number].strip()
        while line.endswith("\\") and len(line) < LONGEST_LINE:
            number += 1
            line = f"{line[:-1].rstrip()} {lines[number].strip() if number < len(lines) else ''}".rstrip()
        if len(line) < LONGEST_LINE:
            yield start, line
        number += 1


def make_variable(line: str) -> dict[str, str]:
    """A variable as Makefile and justfile set it: `PYTHON ?= python3`."""
    found = re.fullmatch(r"([A-Za-z_]\w*)\s+[:?]?=\s+(\S.*)|([A-Za-z_]\w*)[:?]=\s*(\S.*)", line)
    return {found[1] or found[3]: (found[2] or found[4]).strip("'\"")} if found else {}


def with_values(line: str, values: Mapping[str, str]) -> str:
    """A line with the variables that the script itself sets. What a script is given, as in "$@", is left out."""
    line = re.sub(r"\s(\"?\$\{?[@*]\}?\"?|\{\{.*?\}\})", "", line)
    return VARIABLE.sub(lambda found: values.get(found[1] or found[3] or "", found[2]) or found[0], line)


def commands(line: str) -> list[list[str]]:
    """The words of each command of a line, up to where its output goes."""
    line = GAP.sub(lambda found: shlex.quote(found[0]), printable_text(line))
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
    while rest and (ASSIGNMENT.fullmatch(rest[0]) or rest[0] in ("env", "export", "time", "nohup", "exec", "sudo")):
        name, is_set, value = rest.pop(0).partition("=")
        env |= {name: value} if is_set else {}
    return env, rest


def launch_lines(tree: ProjectTree, path: str, order: int) -> Iterator[ShellLine]:
    """The programs that Visual Studio Code starts."""
    text = tree.text(path)
    try:
        launches = json.loads(re.sub(r"^\s*//.*$|,(?=\s*[\]}])", "", text, flags=re.MULTILINE))["configurations"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    for launch in launches if isinstance(launches, list) else []:
        if not isinstance(launch, dict) or not isinstance(launch.get("args", []), list):
            continue
        program = str(launch.get("program", "")).replace("${workspaceFolder}/", "")
        start = ["python", "-m", str(launch["module"])] if "module" in launch else ["python", program]
        words = (*start, *map(str, launch.get("args", [])))
        yield ShellLine(words, path, line_of(text, program or str(launch.get("module")), 0), order)
