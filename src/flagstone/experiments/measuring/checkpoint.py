"""What a run saved: found, kept with the run, and thinned out by the rule the spec sets."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flagstone.metrics import Place
from flagstone.plans import CheckpointSpec, Home, RunFolder, unused_path

if TYPE_CHECKING:
    from flagstone.experiments.measuring.measurement import Order

SLACK_S = 2.0
PARENT = "parent_ckpt"
OTHERS = "others"  # what a run saved besides its checkpoint: earlier ones, and those of repeats and of runs that failed


def collect(spec: CheckpointSpec | None, folder: Path, order: Order, place: Place, *, wanted: bool) -> tuple[str, str]:
    """Moves all that a run saved to its own folder. If wanted: the newest one's name there, or why there is none."""
    if spec is None:
        return "", ""
    found = saved_files(folder, spec.glob, place)
    newest_one = max(found, default=(0.0, None))[1] if wanted else None
    if newest_one is not None:
        target = order.run.checkpoint / newest_one.name
        if target.exists():  # of a try that a kill cut short, or of the edit before it was put onto the best
            move(target, unused_path(target.with_name(OTHERS) / target.name))
        move(newest_one, target)
    for _, path in found:  # a folder before what is in it, which goes along
        move(path, unused_path(order.run.checkpoint / OTHERS / order.part / path.relative_to(folder)))
    if wanted and newest_one is None:
        return "", f"the run saved nothing new that matches {spec.glob}"
    return newest_one.name if newest_one else "", ""


def move(source: Path, target: Path) -> None:
    """Nothing where the source is gone: it went along with its folder."""
    if not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.rename(source, target)
    except OSError:  # another file system, or a place that is not ours
        copy(source, target, shutil.copy2)


def newest(folder: Path, pattern: str) -> Path | None:
    """The newest match, whenever it was written."""
    return max(saved_files(folder, pattern, None), default=(0.0, None))[1]


def saved_files(folder: Path, pattern: str, place: Place | None) -> list[tuple[float, Path]]:
    """Each match with its time that is the run's own: saved while it ran, no link, inside its folder."""
    root = os.path.realpath(folder)
    found = []
    for name in sorted(glob.glob(os.path.join(folder, os.path.expanduser(pattern)), recursive=True)):
        path = Path(name)
        is_inside = os.path.realpath(path).startswith(root + os.sep)
        if path.is_symlink() or not is_inside or is_empty(path):
            continue
        saved_at = newest_time(path)
        if place is None or place.began_at - SLACK_S <= saved_at <= place.ended_at + SLACK_S:
            found.append((saved_at, path))
    return found


def is_empty(path: Path) -> bool:
    return not any(path.iterdir()) if path.is_dir() else path.stat().st_size == 0


def newest_time(path: Path) -> float:
    """When the newest file of a checkpoint was written."""
    times = [path.stat().st_mtime] if not path.is_dir() else []
    for place, _, names in os.walk(path):
        times += [os.lstat(os.path.join(place, name)).st_mtime for name in names]
    return max(times, default=path.stat().st_mtime)


def link(source: Path, target: Path) -> None:
    """The same files under another name, without a second copy where the file system can."""
    copy(source, target, link_or_copy)


def copy(source: Path, target: Path, copy_file: Callable[[str, str], object]) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, copy_function=copy_file)
    else:
        copy_file(str(source), str(target))


def link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target)


def of_run(run: RunFolder, name: str) -> Path | None:
    """What a run saved, if it is still kept."""
    path = run.checkpoint / name
    return path if name and path.exists() else None


def of_parent(home: Home) -> Path | None:
    """The weights this experiment goes on from, if it has a parent that saved some."""
    folder = home.root / PARENT
    return min(folder.iterdir(), default=None) if folder.is_dir() else None
