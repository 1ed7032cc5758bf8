"""Which files of the project a file imports, directly or through others."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from flagstone.setup.project_tree import ProjectTree

MOST_FILES = 100
MOST_TEXT = 1_000_000  # a library of models imports every one of them: what is near the entry decides


def project_imports(tree: ProjectTree, entry: str) -> tuple[str, ...]:
    """The project's files that an entry imports, nearest first, without the entry."""
    found, size = [entry], 0
    for number, path in enumerate(found):
        size += len(tree.text(path))
        if size > MOST_TEXT or not path.endswith(".py"):
            return tuple(found[1:number])
        found += [each for each in dict.fromkeys(imported_files(tree, path, entry)) if each not in found]
        found = found[:MOST_FILES] if len(found) > MOST_FILES else found
    return tuple(found[1:])


def imported_files(tree: ProjectTree, path: str, entry: str) -> Iterator[str]:
    syntax = tree.syntax(path)
    for node in ast.walk(syntax) if syntax else ():
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = relative_base(path, node.level) if node.level else ""
            module = ".".join(filter(None, (base, node.module or "")))
            names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if file := module_file(tree, name, entry):
                yield file


def relative_base(path: str, level: int) -> str:
    """The package that `from .` means in a file."""
    parents = PurePosixPath(path).parts[:-level]
    return ".".join(parents)


def module_file(tree: ProjectTree, module: str, entry: str = "") -> str:
    """The file of a module: seen from the root, from src, from the entry's folders, and the packages of a workspace."""
    tail = module.replace(".", "/")
    folders = [folder.as_posix() for folder in PurePosixPath(entry).parents] if entry else []
    above = [*folders, *tree.package_folders]
    for base in dict.fromkeys(["", "src", *above, *(f"{folder}/src" for folder in above)]):
        start = "" if base in ("", ".") else f"{base}/"
        for file in (f"{start}{tail}.py", f"{start}{tail}/__init__.py", f"{start}{tail}/__main__.py"):
            if tail and file in tree:
                return file
    return ""
