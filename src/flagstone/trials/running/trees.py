"""The files of each arm as a commit beside the baseline."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import LEFT_OUT, Snapshot, Subject, make_empty_folder
from flagstone.globs import matches
from flagstone.plans import SOURCES, Arm
from flagstone.text import list_text


@dataclass(frozen=True)
class ArmTree:
    """The tree of one arm, and by how many lines it differs from the baseline."""

    tree: str
    commit: str
    lines: int = 0


def arm_trees(arms: Iterable[Arm], subject: Subject, base: Snapshot, beside: Path) -> Mapping[str, ArmTree]:
    """The tree of each arm; that of the baseline where an arm has just a switch."""
    return {arm.name: arm_tree(arm, subject, base, beside, number) for number, arm in enumerate(arms, 1)}


def arm_tree(arm: Arm, subject: Subject, base: Snapshot, beside: Path, number: int) -> ArmTree:
    """The baseline with the files of the arm's folder laid over it. A file that the folder lacks is the baseline's."""
    if not arm.tree:
        return ArmTree(base.tree, base.commit)
    folder, whole = beside / arm.tree, subject.home / "state" / "arms" / arm.name
    if not folder.is_dir():
        raise FlagstoneError(
            f"arm {arm.name}: there is no folder {folder}", hint="correct `tree` of this arm in the plan of the trial"
        )
    make_empty_folder(whole)
    subject.lay_out(base.tree, whole, links=False)
    lay_over(subject, base, folder, whole)
    taken = subject.take(whole, base, f"arm {arm.name}", number)
    if taken.violations:
        raise FlagstoneError(
            f"arm {arm.name}: {folder} differs from the project in files that may not change: "
            f"{list_text(taken.violations)}",
            hint="name them in subject.mutable, or make them equal to the project's",
        )
    return ArmTree(taken.tree, taken.commit, changed_lines(subject.diff(base.tree, taken.tree)))


def lay_over(subject: Subject, base: Snapshot, folder: Path, whole: Path) -> None:
    """Copies what can matter: files of the baseline, files that may change, and other sources. Data stays away."""
    known = frozenset(subject.paths(base.tree))
    for top, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_tool(Path(top, name))]
        for name in names:
            path = os.path.relpath(os.path.join(top, name), folder)
            if path in known or path.endswith(SOURCES) or matches(path, subject.spec.mutable):
                (whole / path).parent.mkdir(parents=True, exist_ok=True)
                (whole / path).unlink(missing_ok=True)
                shutil.copy2(folder / path, whole / path, follow_symlinks=False)


def is_tool(folder: Path) -> bool:
    """Whether a folder is an environment, or belongs to a tool."""
    return folder.name.startswith(".") or folder.name in LEFT_OUT or (folder / "pyvenv.cfg").exists()


def changed_lines(diff: str) -> int:
    """How many lines a diff adds and removes."""
    count, is_content = 0, False
    for row in diff.splitlines():
        is_content = (is_content or row.startswith("@@")) and not row.startswith("diff --git ")
        count += is_content and row.startswith(("+", "-"))
    return count
