"""The files of each arm as a commit beside the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import Snapshot, Subject
from flagstone.plans import Arm
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
    if not arm.tree:
        return ArmTree(base.tree, base.commit)
    folder = beside / arm.tree
    if not folder.is_dir():
        raise FlagstoneError(
            f"arm {arm.name}: there is no folder {folder}", hint="correct `tree` of this arm in the plan of the trial"
        )
    taken = subject.take(folder, base, f"arm {arm.name}", number)
    if taken.violations:
        raise FlagstoneError(
            f"arm {arm.name}: {folder} differs from the project in files that may not change: "
            f"{list_text(taken.violations)}",
            hint="name them in subject.mutable, or make them equal to the project's",
        )
    return ArmTree(taken.tree, taken.commit, changed_lines(subject.diff(base.tree, taken.tree)))


def changed_lines(diff: str) -> int:
    """How many lines a diff adds and removes."""
    count, is_content = 0, False
    for row in diff.splitlines():
        is_content = (is_content or row.startswith("@@")) and not row.startswith("diff --git ")
        count += is_content and row.startswith(("+", "-"))
    return count
