"""Reads what git knows of a project. It starts no hook, and no program that the repository names."""

from __future__ import annotations

import os
from pathlib import Path

from flagstone.processes import run_quietly

LIST_S = 10.0
GIT = ("git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false")
VARIABLES = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def git_output(root: Path, *words: str) -> bytes:
    """What a reading command of git prints. Returns b'' if there is no repository, or no git."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    code, output, _ = run_quietly((*GIT, *words), root, LIST_S, env={**environ, **VARIABLES})
    return output if code == 0 else b""


def commit_titles(root: Path, most: int = 20) -> list[str]:
    """The titles of the newest commits that touch this folder."""
    output = git_output(root, "log", f"--max-count={most}", "--format=%s", "--", ".")
    return [line for line in output.decode(errors="replace").splitlines() if line.strip()]


def newest_paths(root: Path, most: int = 200) -> list[str]:
    """The files of this folder in the order in which commits touched them, the newest first."""
    words = ("log", f"--max-count={most}", "--name-only", "--relative", "-z", "--format=")
    names = git_output(root, *words, "--", ".").split(b"\0")
    return list(dict.fromkeys(os.fsdecode(name.strip(b"\n")) for name in names if name.strip(b"\n")))


def sibling_trees(root: Path) -> list[Path]:
    """The same folder in the other work trees of this repository."""
    lines = git_output(root, "worktree", "list", "--porcelain", "-z").split(b"\0")
    trees = [Path(os.fsdecode(line[9:])) for line in lines if line.startswith(b"worktree ")]
    real = root.resolve()
    here = max((tree for tree in trees if real.is_relative_to(tree)), key=lambda tree: len(tree.parts), default=None)
    return [tree / real.relative_to(here) for tree in trees if tree != here] if here else []
