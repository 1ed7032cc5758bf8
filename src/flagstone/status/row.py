"""One run as `flagstone status` works it out, with everything to remember it by."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flagstone.agents.accounts import LOG
from flagstone.gates import Moment, RunConfig, read_moment
from flagstone.layout import INDEX_KINDS
from flagstone.records import canonical, digest_bytes, digest_value, read_record
from flagstone.settings import config_file, table_file
from flagstone.status.model import run_status
from flagstone.status.overview import RunOverview
from flagstone.status.remembered import RememberedStatus, cache_folder, marks_of, write_privately

SETTLED_NS = 50_000_000  # a file that changed this shortly before it was read may change again within the same tick


def status_row(opened: RunConfig, here: Path) -> tuple[RunOverview, RememberedStatus | None]:
    """The status of a run, and the row to remember it by. There is none while something is going on in the run."""
    began_ns = time.time_ns()
    with remembered_digests(opened):
        moment = read_moment(opened)
        status = run_status(opened, here, moment)
    is_quiet = not (status.holder or status.experiments or any(each.state == "running" for each in status.stages))
    paths = tuple(paths_of(opened, moment))
    root = str(opened.run.root)
    marks = marks_of(root, paths)
    # whatever changes later gets a later time than any that is marked here
    is_settled = max((*marks[2::4], *marks[3::4]), default=0) < began_ns - SETTLED_NS
    row = RememberedStatus(root, status, paths, digest_bytes(marks.tobytes()))
    return status, row if is_quiet and is_settled else None


def paths_of(opened: RunConfig, moment: Moment) -> Iterator[str]:
    """Every file that a status rests on, and folders where one may come. One that is moved changes the one above."""
    run = opened.run
    files = {path for each in moment.stages.values() if each.content for path in each.content.files}
    yield from sorted({".", *files, *(os.path.dirname(os.path.dirname(path)) or "." for path in files)})
    yield from ("approved", "feedback", "redo", "logs", "workspace/experiments", "experiments")
    yield from ("workspace/trials", "trials", "pinned/prompts/_partials")
    named = [run.settings, run.brief, run.seals, run.lock, run.last_profile, run.logs / LOG]
    named += map(run.index, INDEX_KINDS)
    for stage in opened.table:
        named += [run.flag(stage.nr), run.offer(stage.key), run.drafts(stage.nr)]
    for pattern in ("pinned/prompts/[0-9]*", "pinned/prompts/[cr]*.j2", "pinned/prompts/_partials/*"):
        named += sorted(run.root.glob(pattern))
    named += [*sorted(run.root.glob("feedback/*.md")), *sorted(run.root.glob("experiments/*"))]
    named += [*sorted(run.root.glob("workspace/trials/*")), *sorted(run.root.glob("trials/*"))]
    named += sorted(run.root.glob("trials/*/*.json*"))  # of each trial the ledger, and what says how it ended
    named += sorted(run.root.glob("experiments/*/ledger.jsonl"))  # runs that are added by hand change no folder
    yield from map(run.relative, named)
    yield from map(str, (config_file(opened.project, run), table_file(opened.project, run)))


@contextmanager
def remembered_digests(opened: RunConfig) -> Iterator[None]:
    """Uses what an earlier status had to hash, and remembers what this one has to."""
    path = cache_folder() / "digests" / f"{digest_value(str(opened.run.root))[:16]}.json"
    known = read_record(path) or {}
    opened.cache.known = {**known, **opened.cache.known}
    yield
    if opened.cache.own:
        write_privately(path, canonical({**known, **opened.cache.own}))
