"""What a run saved: found, kept with the run, and thinned out by the rule the spec sets."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flagstone.loop.home import Home, RunFolder
from flagstone.loop.spec import CheckpointSpec
from flagstone.metrics.series import Place

if TYPE_CHECKING:
    from flagstone.loop.harness import Order

SLACK_S = 2.0
PARENT = "parent_ckpt"


def taken(spec: CheckpointSpec | None, folder: Path, order: Order, place: Place) -> tuple[str, str]:
    """Moves what the run saved to the run's own folder; its name there, or why there is none."""
    if spec is None or order.part != "first":
        return "", ""
    found = newest(folder, spec.glob, place)
    if found is None:
        return "", f"the run saved nothing new that matches {spec.glob}"
    target = order.run.checkpoint / found.name
    if target.exists():
        return found.name, ""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.rename(found, target)
    except OSError:  # another file system, or a place that is not ours
        copy(found, target)
    return found.name, ""


def newest(folder: Path, pattern: str, place: Place | None) -> Path | None:
    """The newest match that is the run's own: saved while it ran, no link, inside its folder."""
    root = os.path.realpath(folder)
    best: tuple[float, Path] | None = None
    for name in glob.glob(os.path.join(folder, os.path.expanduser(pattern)), recursive=True):
        path = Path(name)
        is_inside = os.path.realpath(path).startswith(root + os.sep)
        if path.is_symlink() or not is_inside or is_empty(path):
            continue
        saved_at = newest_time(path)
        is_own = place is None or place.began_at - SLACK_S <= saved_at <= place.ended_at + SLACK_S
        if is_own and (best is None or saved_at > best[0]):
            best = (saved_at, path)
    return best[1] if best else None


def is_empty(path: Path) -> bool:
    return not any(path.iterdir()) if path.is_dir() else path.stat().st_size == 0


def newest_time(path: Path) -> float:
    """When the newest file of a checkpoint was written."""
    times = [path.stat().st_mtime] if not path.is_dir() else []
    for place, _, names in os.walk(path):
        times += [os.lstat(os.path.join(place, name)).st_mtime for name in names]
    return max(times, default=path.stat().st_mtime)


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target)


def linked(source: Path, target: Path) -> None:
    """The same files under another name, without a second copy where the file system can."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, copy_function=link_or_copy)
    else:
        link_or_copy(str(source), str(target))


def link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target)


def thin_out(home: Home, keep: int, best: str, names: Sequence[str]) -> None:
    """Removes the checkpoints of all but the best and the last `keep` of these runs that saved one."""
    saved = [name for name in names if home.run(name).checkpoint.is_dir() and name != best]
    for name in saved[: len(saved) - keep]:
        shutil.rmtree(home.run(name).checkpoint)
        # a former best holds the same files under another name
        shutil.rmtree(home.bests / name / "best_ckpt", ignore_errors=True)


def of_run(run: RunFolder, name: str) -> Path | None:
    """What a run saved, if it is still kept."""
    path = run.checkpoint / name
    return path if name and path.exists() else None


def of_parent(home: Home) -> Path | None:
    """The weights this experiment goes on from, if it has a parent that saved some."""
    folder = home.root / PARENT
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return found[0] if found else None
