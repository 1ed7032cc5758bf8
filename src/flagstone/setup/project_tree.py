"""The files of a project. Each is opened at most once, and none above 1 MB."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

LARGEST = 1_000_000
NEVER = {".git", ".flagstone", ".autoresearch", "__pycache__", "node_modules", "site-packages", "third_party", "vendor"}
ENVIRONMENTS = ("pyvenv.cfg", "conda-meta")  # a folder with one of these is an environment, and no part of the project


@dataclass(frozen=True)
class ProjectTree:
    """The files below a root, relative and sorted. What cannot be read is listed in `skipped` with its reason."""

    root: Path
    paths: tuple[str, ...]
    skipped: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict, repr=False)
    trees: dict[str, ast.Module | None] = field(default_factory=dict, repr=False)

    def text(self, path: str) -> str:
        """What a file says. Returns '' if it cannot be read as text."""
        if path not in self.texts:
            self.texts[path] = self.read(path)
        return self.texts[path]

    def read(self, path: str) -> str:
        try:
            with open(self.root / path, "rb") as stream:
                if os.fstat(stream.fileno()).st_size > LARGEST:
                    self.skipped[path] = "larger than 1 MB"
                    return ""
                return stream.read(LARGEST).decode()
        except UnicodeDecodeError:
            self.skipped[path] = "not UTF-8"
        except OSError as error:
            self.skipped[path] = error.strerror or str(error)
        return ""

    def syntax(self, path: str) -> ast.Module | None:
        """The syntax tree of a Python file. Returns None if it does not parse."""
        if path not in self.trees:
            self.trees[path] = self.parse(path)
        return self.trees[path]

    def parse(self, path: str) -> ast.Module | None:
        try:
            with warnings.catch_warnings(action="ignore"):
                return ast.parse(self.text(path))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            self.skipped[path] = f"not Python: {type(error).__name__}"
            return None

    def ending(self, *suffixes: str) -> Iterator[str]:
        """The files with one of these suffixes, such as .py."""
        return (path for path in self.paths if PurePosixPath(path).suffix in suffixes)


def project_tree(root: Path) -> ProjectTree:
    """The files below a folder. Links to folders are not followed, environments are left out."""
    found, skipped = list[str](), dict[str, str]()
    for folder, names, files in os.walk(
        root, onerror=lambda error: skipped.setdefault(str(error.filename), str(error))
    ):
        names[:] = sorted(name for name in names if name not in NEVER and not is_environment(Path(folder, name)))
        found += (os.path.relpath(os.path.join(folder, name), root) for name in files)
    return ProjectTree(root, tuple(sorted(path for path in found if path.isprintable())), skipped)


def is_environment(folder: Path) -> bool:
    return any((folder / name).exists() for name in ENVIRONMENTS)
