"""Whether everything in the workspace can be published: its names, and nothing that runs by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator

from flagstone.artifacts.rules.findings import RuleCheck, failed_check, passed_check
from flagstone.layout import Run
from flagstone.text import escaped_text, list_text

REPOSITORY = ".git"


def workspace_checks(run: Run) -> Iterator[RuleCheck]:
    """That every name is UTF-8, and that git finds no repository with settings and hooks of an agent's making."""
    odd: list[str] = []
    repositories: list[str] = []
    for folder, folders, files in os.walk(run.workspace):
        shown = os.path.relpath(folder, run.root)
        names = (*folders, *files)
        odd += [f"{shown}/{name}" for name in names if not is_utf8(name)]
        if REPOSITORY in names:
            repositories.append(f"{shown}/{REPOSITORY}")
        folders[:] = [name for name in folders if name != REPOSITORY]
    yield answer("workspace-names", odd, "rename what has a name that is not UTF-8", "every name in workspace is UTF-8")
    yield answer(
        "no-hidden-machinery",
        repositories,
        "remove each repository of git and leave its files (note address and commit of a clone in a file): "
        "git would run what its settings and hooks name",
        "workspace holds no repository of git",
    )


def answer(rule: str, found: list[str], cure: str, good: str) -> RuleCheck:
    if not found:
        return passed_check(rule, good)
    return failed_check(rule, f"{cure}: {list_text([escaped_text(path, 200) for path in sorted(found)])}")


def is_utf8(name: str) -> bool:
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)
