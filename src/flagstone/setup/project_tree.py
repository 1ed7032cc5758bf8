"""The files of a project. Each is opened at most once, and none above 1 MB."""

from __future__ import annotations

import ast
import json
import os
import stat
import tomllib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import yaml

from flagstone.metrics import EventEnds, read_event_ends
from flagstone.setup.notebook import notebook_syntax
from flagstone.text import escaped_text

Result = TypeVar("Result")
LARGEST = 1_000_000
LARGEST_YAML = 200_000
ALL_TEXT = 64_000_000  # is kept in memory
DEEPEST = 200
ALL_CODE = 6_000_000
MOST_FILES = 50_000
MOST_IN_FOLDER = 10_000  # a folder of samples must not keep the code from being seen
NEVER = {".git", ".flagstone", ".autoresearch", "__pycache__", "node_modules", "site-packages", "third_party", "vendor"}
ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")  # a folder with one of these is an environment, and no part of the project


@dataclass
class ProjectTree:
    """The files below a root, relative and sorted. What cannot be read is listed in `skipped` with its reason."""

    root: Path
    paths: tuple[str, ...]
    skipped: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict, repr=False)
    trees: dict[str, ast.Module | None] = field(default_factory=dict, repr=False)
    documents: dict[str, Any] = field(default_factory=dict, repr=False)
    results: dict[str, Any] = field(default_factory=dict, repr=False)
    size: int = 0  # of all text that was read
    parsed: int = 0

    def __contains__(self, path: str) -> bool:
        return path in self.known_paths

    @cached_property
    def known_paths(self) -> frozenset[str]:
        return frozenset(self.paths)

    @cached_property
    def package_folders(self) -> tuple[str, ...]:
        """The folders below the root that are packages of their own, as the members of a workspace are."""
        names = (path.rpartition("/") for path in self.paths)
        return tuple(
            dict.fromkeys(above for above, _, name in names if above and name in ("pyproject.toml", "setup.py"))
        )

    def text(self, path: str) -> str:
        """What a file says. Returns '' if it cannot be read as text, or is none of the project's."""
        if not path:
            return ""
        if path not in self.texts:
            self.texts[path] = self.read(path)
        return self.texts[path]

    def place(self, path: str, position: int) -> str:
        """Where a character of a file stands, as path:line."""
        return f"{path}:{self.text(path).count(chr(10), 0, position) + 1}"

    def read(self, path: str) -> str:
        """Reads a file. The size is asked first, so that a large or special file is not opened."""
        try:
            state = os.stat(self.root / path)
            if reason := self.refusal(state):
                self.skipped[path] = reason
                return ""
            with open(self.root / path, "rb") as stream:
                self.size += state.st_size
                return stream.read(LARGEST).decode()
        except UnicodeDecodeError:
            self.skipped[path] = "not UTF-8"
        except OSError as error:
            self.skipped[path] = error.strerror or str(error)
        return ""

    def refusal(self, state: os.stat_result) -> str:
        if not stat.S_ISREG(state.st_mode):
            return "not a regular file"
        if state.st_size > LARGEST:
            return "larger than 1 MB"
        if self.size + state.st_size > ALL_TEXT:
            return "the project has more than 64 MB of text"
        return ""

    def syntax(self, path: str) -> ast.Module | None:
        """The syntax tree of a Python file. Returns None if it does not parse."""
        if path not in self.trees:
            self.trees[path] = self.parse(path)
        return self.trees[path]

    def parse(self, path: str) -> ast.Module | None:
        self.parsed += len(self.text(path))
        if self.parsed > ALL_CODE:
            self.skipped[path] = "more than 6 MB of Python looks like training"
            return None
        try:
            with warnings.catch_warnings(action="ignore"):
                tree = (notebook_syntax if path.endswith(".ipynb") else ast.parse)(self.text(path))
            if is_too_deep(tree):
                raise RecursionError  # whoever walks it by recursion would end so
            return tree
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.skipped[path] = f"not Python: {type(error).__name__}"
            return None

    def json(self, path: str) -> Any:
        """The content of a JSON file. Returns None if it cannot be read."""
        return self.decode(path, json.loads)

    def toml(self, path: str) -> dict[str, Any]:
        """The content of a TOML file. Returns {} if it cannot be read."""
        return self.decode(path, tomllib.loads) or {}

    def yaml(self, path: str) -> yaml.Node | None:
        """The nodes of a YAML file, which know their lines. Returns None if it cannot be read."""
        node: yaml.Node | None = self.decode(path, compose)
        return node

    def decode(self, path: str, reader: Any) -> Any:
        if path not in self.documents:
            text = self.text(path)
            try:
                self.documents[path] = reader(text) if text.strip() else None
            except (ValueError, RecursionError, yaml.YAMLError) as error:
                self.skipped[path] = f"not readable: {type(error).__name__}"
                self.documents[path] = None
        return self.documents[path]

    def event_ends(self, path: str) -> EventEnds:
        """What both ends of an event file of TensorBoard tell."""
        return self.once(f"ends of {path}", lambda: read_event_ends(self.root / path))

    def once(self, name: str, work: Callable[[], Result]) -> Result:
        """What was worked out of the files under this name; the work is done when it is first asked for."""
        if name not in self.results:
            self.results[name] = work()
        result: Result = self.results[name]
        return result

    def ending(self, *suffixes: str) -> Iterator[str]:
        """The files with one of these suffixes, such as .py."""
        return (path for path in self.paths if path.endswith(suffixes))


def is_too_deep(tree: ast.AST) -> bool:
    """True for code that is nested as no person writes it."""
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return bool(level)


def compose(text: str) -> yaml.Node | None:
    if len(text) > LARGEST_YAML:
        raise ValueError("too long")
    node: yaml.Node | None = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return node


def project_tree(root: Path) -> ProjectTree:
    """The files below a folder. Links to folders are not followed, environments are left out."""
    found, skipped, folders = list[str](), dict[str, str](), [""]
    for folder in folders:  # grows while it is read: folders near the root come first
        if len(found) > MOST_FILES:
            skipped[folder] = "more files than are looked at, as in all folders that lie deeper"
            break
        try:
            with os.scandir(root / folder) as entries:
                names = sorted(islice(entries, MOST_IN_FOLDER + 1), key=lambda entry: entry.name)
        except OSError as error:
            skipped[folder] = error.strerror or str(error)
            continue
        if len(names) > MOST_IN_FOLDER:
            skipped[folder or "."] = "more files than are looked at"
            names = names[:MOST_IN_FOLDER]
        for entry in names:
            if not entry.name.isprintable():
                skipped[escaped_text(f"{folder}{entry.name}")] = "its name cannot be printed"
            elif not entry.is_dir(follow_symlinks=False):
                found.append(f"{folder}{entry.name}")
            elif entry.name not in NEVER and not is_environment(Path(entry.path)):
                folders.append(f"{folder}{entry.name}/")
    return ProjectTree(root, tuple(sorted(found)), skipped)


def is_environment(folder: Path) -> bool:
    return any((folder / name).exists() for name in ENVIRONMENTS)
