"""What a run saved: found, kept with the run, and thinned out by the rule the spec sets."""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from flagstone.experiments.candidates import remove
from flagstone.metrics import Place
from flagstone.plans import CheckpointSpec, Home, RunFolder, unused_path

if TYPE_CHECKING:
    from flagstone.experiments.measuring.measurement import Order

SLACK_S = 2.0
SAID = 3
PARENT = "parent_ckpt"
FIRST = ("first", "rebased")  # the parts that a checkpoint is taken from
OTHERS = "others"  # what a run saved besides its checkpoint: earlier ones, and those of repeats and of runs that failed


def collect(spec: CheckpointSpec | None, folder: Path, order: Order, place: Place, *, wanted: bool) -> tuple[str, str]:
    """Moves all that a run saved to its own folder. If wanted: the newest one's name there, or why there is none."""
    if spec is None:
        return "", ""
    found, faults = saved_files(folder, spec.glob, place)
    newest_one = max(found, default=(0.0, None))[1] if wanted else None
    if newest_one is not None:
        target = order.run.checkpoint / newest_one.name
        if target.exists():  # of a try that a kill cut short, or of the edit before it was put onto the best
            move(target, unused_path(target.with_name(OTHERS) / target.name))
        move(newest_one, target)
    for _, path in found:  # a folder before what is in it, which goes along
        move(path, unused_path(order.run.checkpoint / OTHERS / order.part / path.relative_to(folder)))
    remove_repeats([order.run], spec.keep_checkpoints)
    if wanted and newest_one is None:
        return "", "; ".join(faults[:SAID]) or f"the run saved nothing that matches {spec.glob}"
    return newest_one.name if newest_one else "", ""


def remove_repeats(runs: Iterable[RunFolder], count: int) -> None:
    """Removes what repeats saved, but for the last `count` of them."""
    parts = [part for run in runs for part in sorted(repeats_of(run), key=lambda part: part.stat().st_mtime_ns)]
    for part in parts[: max(0, len(parts) - count)]:
        remove(part, os.lstat(part))


def repeats_of(run: RunFolder) -> list[Path]:
    """What the repeats of a run saved, one folder for each."""
    place = run.checkpoint / OTHERS
    return [part for part in place.iterdir() if part.name not in FIRST] if place.is_dir() else []


def move(source: Path, target: Path) -> None:
    """Moves a file or folder, also to another file system. If the source is gone, it was moved with its folder."""
    if not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.rename(source, target)
    except OSError:  # another file system, or a place that is not ours
        copy(source, target, shutil.copy2)


def newest_checkpoint(folder: Path, pattern: str) -> Path | None:
    """The newest match, whenever it was written."""
    return max(saved_files(folder, pattern, None)[0], default=(0.0, None))[1]


def saved_files(folder: Path, pattern: str, place: Place | None) -> tuple[list[tuple[float, Path]], list[str]]:
    """Each match with its time that is the run's own, and why others are not taken."""
    found, faults = [], []
    for name in sorted(glob.glob(os.path.join(folder, os.path.expanduser(pattern)), recursive=True)):
        path = Path(name)
        if fault := fault_of(path, folder, place):
            faults.append(f"{os.path.relpath(path, folder)} {fault}")
        else:
            found.append((newest_time(path), path))
    return found, faults


def fault_of(path: Path, folder: Path, place: Place | None) -> str:
    """Why a match is not what this run saved. Returns '' if it is."""
    if path.is_symlink():
        return "is a link"
    if not os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep):
        return "is outside the run's folder"
    if is_empty(path):
        return "is empty"
    if place is None or place.began_at - SLACK_S <= newest_time(path) <= place.ended_at + SLACK_S:
        return ""
    return "was not written while the run ran"


def is_empty(path: Path) -> bool:
    return not any(path.iterdir()) if path.is_dir() else path.stat().st_size == 0


def newest_time(path: Path) -> float:
    """When the newest file of a checkpoint was written."""
    times = [path.stat().st_mtime] if not path.is_dir() else []
    for place, _, names in os.walk(path):
        times += [os.lstat(os.path.join(place, name)).st_mtime for name in names]
    return max(times, default=path.stat().st_mtime)


def link(source: Path, target: Path) -> None:
    """Gives the same files another name: by hard links if the file system has them, otherwise as a copy."""
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
