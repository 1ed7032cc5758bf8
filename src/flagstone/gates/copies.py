"""Whether this copy of a run is the one its flags were touched in: after a clone, mtimes tell nothing."""

from __future__ import annotations

import os

from flagstone import seals
from flagstone.layout import Run

ARRIVED = "arrived"
COPYING_NS = 1_000_000_000  # `cp -r` gives every file a time of its own, the flags' perhaps the last


def copy_id(run: Run) -> tuple[int, ...]:
    """What a copy of the run cannot share with it."""
    return inode(str(run.root)), inode(str(run.approved))


def inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def last_arrival(run: Run) -> seals.Seal:
    return seals.last_decision(run, "", event=ARRIVED) or seals.Seal()


def is_copied_flag(run: Run, key: str, nr: str, mtime_ns: int) -> bool:
    """Whether a flag came along with a copy of the run, so that its time says nothing about this content."""
    arrival = last_arrival(run)
    if arrival.place == copy_id(run):
        return arrival.spent.get(nr) == mtime_ns
    return mtime_ns < settled_ns(run, key)


def settled_ns(run: Run, key: str) -> int:
    """The moment from which on a touch must have been made in this copy: ctimes are never copied."""
    beside = (run.seals, run.approved / ".gitkeep")  # not the folder: making a flag changes its time
    witnesses = (*beside, run.brief, run.settings, run.summary(key), run.offer(key))
    return max(ctime_ns(str(path)) for path in witnesses) + COPYING_NS


def ctime_ns(path: str) -> int:
    try:
        return os.stat(path).st_ctime_ns
    except OSError:
        return 0


def note_arrival(run: Run, keys: dict[str, str], decision: seals.Decision) -> None:
    """Notes that the run lies here now, and which flags came with it. Does nothing where that is known."""
    location = copy_id(run)
    if last_arrival(run).place == location:
        return
    spent = {}
    for nr, key in keys.items():
        try:
            mtime_ns = os.stat(run.flag(nr)).st_mtime_ns
        except OSError:
            continue
        if is_copied_flag(run, key, nr, mtime_ns):
            spent[nr] = mtime_ns
    seals.record(run, ARRIVED, "", decision, place=location, spent=spent)
