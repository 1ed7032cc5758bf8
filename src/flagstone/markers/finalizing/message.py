"""What a commit of a branch says: what was changed, the number before and after, and the runs that it comes from."""

from __future__ import annotations

import os
import textwrap
from dataclasses import dataclass

from flagstone.experiments.ledger import Entry
from flagstone.markers.finalizing.keeps import Group
from flagstone.markers.homes import own_note
from flagstone.markers.marker import Marker
from flagstone.processes import Redactor
from flagstone.text import one_line

TITLE, WIDTH = 70, 72
LONGEST_NOTE = 1000


@dataclass(frozen=True)
class LeftOut:
    """Kept edits that are not part of the branch, and why."""

    runs: tuple[str, ...]
    notes: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class NewCommit:
    """One commit of a branch. `value` is its number, `before` that of what it was put onto.

    `runs` are those of the sessions; `measured_in` is the one that measured its tree, so often.
    """

    title: str
    message: str
    tree: str
    runs: tuple[str, ...]
    before: float | None
    value: float | None
    measurements: int
    measured_in: str
    branch: str = ""
    commit: str = ""


def clean_note(text: str, limit: int) -> str:
    """A note of an agent as one line, without anything that has the shape of a key."""
    secrets = Redactor.of(os.environ)
    return one_line(secrets.clean(text.encode("utf-8", "replace")).decode("utf-8", "replace"), limit)


def left_out(group: Group, reason: str) -> LeftOut:
    notes = tuple(clean_note(own_note(keep.entry), TITLE) for keep in group)
    return LeftOut(tuple(keep.run_id for keep in group), notes, clean_note(reason, 300))


def new_commit(marker: Marker, group: Group, entry: Entry, before: Entry) -> NewCommit:
    """The commit of a group whose tree was measured in `entry`, beside `before`."""
    was = entry.judgement.get("theirs", before.value)
    now = entry.judgement.get("ours", entry.value)
    found = title(marker, group)
    lines = [] if len(group) == 1 and fits(group) else [bullet for keep in group for bullet in bullets(keep.entry)]
    runs = tuple(keep.run_id for keep in group)
    count = len(entry.measurements)
    facts = [f"{marker.name}: {number_text(was)} -> {number_text(now)} (n = {count})", f"Runs: {', '.join(runs)}"]
    message = "\n".join([found, "", *lines, *([""] if lines else []), *facts])
    return NewCommit(found, message, entry.tree, runs, was, now, count, entry.run_id)


def title(marker: Marker, group: Group) -> str:
    more = f" (and {len(group) - 1} more)" if len(group) > 1 else ""
    return (clean_note(own_note(group[0].entry), TITLE - len(more)) or f"Improve {marker.name}") + more


def fits(group: Group) -> bool:
    return 0 < len(clean_note(own_note(group[0].entry), LONGEST_NOTE)) <= TITLE


def bullets(entry: Entry) -> list[str]:
    # on a line of its own a note could be read as a trailer
    text = f"- {entry.run_id}: {clean_note(own_note(entry), LONGEST_NOTE) or 'an edit without a note'}"
    return textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_long_words=False)


def number_text(value: float | None) -> str:
    return "no number" if value is None else f"{value:.6g}"
