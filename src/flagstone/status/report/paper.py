"""The paper of a run: where it is, and what is known of exactly this file."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from flagstone.artifacts import PAPERS
from flagstone.artifacts.formats import Unreadable, read_bounded, regular_file, size_words
from flagstone.gates import Moment
from flagstone.layout import Run
from flagstone.status.overview import RunOverview

COPIED_BYTES = 8_000_000


@dataclass(frozen=True)
class Paper:
    """The compiled paper. `copy` is the file itself as an address, or '' if it is too large for that."""

    path: str
    size: str
    copy: object
    words: str


def paper_of(run: Run, moment: Moment, status: RunOverview) -> Paper | None:
    """The first compiled paper that is there."""
    from markupsafe import Markup

    for path in PAPERS:
        try:
            size = regular_file(run.root / path, run.root)[1].st_size
            raw = read_bounded(run.root / path, run.root, COPIED_BYTES) if size <= COPIED_BYTES else b""
        except Unreadable:
            continue
        if size:
            copy = f"data:application/pdf;base64,{base64.b64encode(raw).decode()}" if raw else ""
            return Paper(path, size_words(size), Markup(copy), words_of(path, moment, status))
    return None


def words_of(path: str, moment: Moment, status: RunOverview) -> str:
    """Which stage offers this file, and whether it is what was offered and approved."""
    offering = (row for row in status.stages if path in (content_files(moment, row.nr)))
    row = next(offering, None)
    if row is None:
        return "No stage offers this file for approval: it is unfinished, or left over from an earlier version."
    if path in dict(moment.stages[row.nr].moved):
        return f"Stage {row.nr} offers it, but the file was changed since."
    if row.state == "done":
        return f"It is approved with stage {row.nr}."
    return f"It is not approved: stage {row.nr} {row.title}: {row.state} ({row.reason})."


def content_files(moment: Moment, nr: str) -> tuple[str, ...]:
    content = moment.stages[nr].content
    return tuple(content.files) if content else ()
