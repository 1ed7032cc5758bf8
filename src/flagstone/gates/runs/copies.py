"""Whether this copy of a run is the one its flags were touched in: after a clone, mtimes tell nothing."""

from __future__ import annotations

import os
from pathlib import Path

from flagstone import seals
from flagstone.layout import Run
from flagstone.stages import StageTable

ARRIVED = "arrived"
COPYING_NS = 1_000_000_000  # `cp -r` gives every file a time of its own, the flags' perhaps the last


def copy_id(run: Run) -> tuple[int, ...]:
    """What a copy of the run cannot share with it."""
    found = (stat_of(path) for path in (run.root, run.approved))
    return tuple(stat.st_ino if stat else 0 for stat in found)


def last_arrival(run: Run) -> seals.Seal:
    return seals.last_decision(run, "", event=ARRIVED) or seals.Seal()


def is_copied_flag(run: Run, key: str, nr: str, mtime_ns: int) -> bool:
    """Whether a flag came along with a copy of the run, so that its time says nothing about this content."""
    arrival = last_arrival(run)
    if arrival.place == copy_id(run):
        return arrival.spent.get(nr) == mtime_ns
    return mtime_ns < settled_ns(run, key)


def settled_ns(run: Run, key: str) -> int:
    """A touch later than this was made in this copy of the run, not in the original: copying never keeps a ctime."""
    beside = (run.seals, run.approved / ".gitkeep")  # not the folder: making a flag changes its time
    witnesses = (*beside, run.brief, run.settings, run.summary(key), run.offer(key))
    return max((stat.st_ctime_ns for path in witnesses if (stat := stat_of(path))), default=0) + COPYING_NS


def stat_of(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def note_arrival(run: Run, table: StageTable, how: str) -> None:
    """Notes that the run is here now, and which flags came with it. Does nothing if that is known."""
    here = copy_id(run)
    if last_arrival(run).place == here:
        return
    flags = {stage: stat_of(run.flag(stage.nr)) for stage in table}
    spent = {
        stage.nr: stat.st_mtime_ns
        for stage, stat in flags.items()
        if stat and is_copied_flag(run, stage.key, stage.nr, stat.st_mtime_ns)
    }
    seals.record(run, ARRIVED, "", seals.decision_now("flagstone", how), place=here, spent=spent)
