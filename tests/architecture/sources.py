"""The project's own files, and what their code says, without running it."""

from __future__ import annotations

import ast
import functools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {"__pycache__", "node_modules", "build", "dist", "runs"}
TEXT_SIZE = 2_000_000


@dataclass(frozen=True)
class Source:
    """One Python file of the project."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), self.name)

    @functools.cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(self.tree))

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        return (node for node in self.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))

    @functools.cached_property
    def imports(self) -> set[str]:
        """The packages this file imports anywhere, by their first name."""
        found: set[str] = set()
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
        return found

    def calls(self) -> set[str]:
        """Every dotted name that is called, such as `os.fork`."""
        return {ast.unparse(call.func) for call in self.nodes if isinstance(call, ast.Call) and is_dotted(call.func)}


def is_dotted(name: ast.expr) -> bool:
    return isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name)


def files(*folders: str) -> list[Path]:
    """Every file below these folders of the project, without what tools and runs leave there."""
    found = []
    for folder in folders:
        for place, below, names in os.walk(ROOT / folder):
            below[:] = sorted(name for name in below if is_ours(name))
            found += [Path(place, name) for name in sorted(names)]
    return found


def is_ours(folder: str) -> bool:
    return folder == ".ci" or (
        folder not in NOT_OURS and not folder.startswith(".") and not folder.endswith(".egg-info")
    )


@functools.cache
def python(*folders: str) -> list[Source]:
    """Every Python file below these folders; read and parsed once for all tests."""
    return [source_at(path) for path in files(*folders) if path.suffix == ".py"]


@functools.cache
def source_at(path: Path) -> Source:
    return Source(path)


def texts() -> Iterator[tuple[str, str]]:
    """Every text file of the project with its content; `.` reaches the files at the root, dotted ones too."""
    for path in files("."):
        if path.stat().st_size <= TEXT_SIZE:
            try:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # a picture or an event file
