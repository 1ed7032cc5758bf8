"""What `flagstone status` worked out before, kept in the user's cache folder and never in a run.

A status is shown again as long as every file it rests on has the same marks. Losing the cache costs time only.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flagstone.agents.accounts import LOG
from flagstone.errors import FlagstoneError
from flagstone.gates import Moment, RunConfig, read_moment
from flagstone.layout import INDEX_KINDS, Project
from flagstone.records import canonical, digest_bytes, digest_value, encode, read_as, read_record, write_atomic
from flagstone.settings import config_file, table_file
from flagstone.status.manifest import commit
from flagstone.status.model import RunOverview, run_status

SETTLED_NS = 50_000_000  # a file that changed this shortly before it was read may change again within the same tick


@dataclass(frozen=True)
class RememberedStatus:
    """The status of one run, the files it rests on (most of them relative to it), and one digest of their marks."""

    root: str
    status: RunOverview
    paths: tuple[str, ...]
    marks: str


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flagstone"


def rows_file(project: Project, here: Path) -> Path:
    word = digest_value([str(project.root), str(here), commit()])[:16]
    return cache_folder() / f"status-{word}.json"


def read_rows(path: Path) -> Mapping[str, RememberedStatus]:
    """The rows of an earlier call, by run. Empty if there are none that can be read."""
    return read_as(path, dict[str, RememberedStatus]) or {}


def write_rows(path: Path, rows: Mapping[str, RememberedStatus]) -> None:
    write_privately(path, encode(rows))


def is_current(row: RememberedStatus) -> bool:
    marks, _ = marks_of(row.root, row.paths)
    return marks == row.marks


def marks_of(root: str, paths: tuple[str, ...]) -> tuple[str, int]:
    """One digest of the marks of all files, and the time of the latest change among them."""
    marks, latest = array("q"), 0
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return "", 0
    for path in paths:
        try:
            stat = os.stat(path, dir_fd=folder)
        except OSError:
            marks.append(-1)
            continue
        marks.extend((stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
        latest = max(latest, stat.st_mtime_ns, stat.st_ctime_ns)
    os.close(folder)
    return digest_bytes(marks.tobytes()), latest


def status_row(opened: RunConfig, here: Path) -> tuple[RunOverview, RememberedStatus | None]:
    """The status of a run, and the row to remember it by. There is none while something is going on in the run."""
    began_ns = time.time_ns()
    with remembered_digests(opened):
        moment = read_moment(opened)
        status = run_status(opened, here, moment)
    is_quiet = not (status.holder or status.experiments or any(each.state == "running" for each in status.stages))
    paths = tuple(paths_of(opened, moment))
    root = str(opened.run.root)
    marks, latest_ns = marks_of(root, paths)
    # whatever changes later gets a later time than any that is marked here
    is_settled = latest_ns < began_ns - SETTLED_NS
    return status, RememberedStatus(root, status, paths, marks) if is_quiet and is_settled else None


def paths_of(opened: RunConfig, moment: Moment) -> Iterator[str]:
    """Every file that a status rests on. A file that comes, goes or is replaced changes its folder."""
    run = opened.run
    files = {path for each in moment.stages.values() if each.content for path in each.content.files}
    yield from sorted(files | {os.path.dirname(path) for path in files})
    yield from (".", "approved", "feedback", "redo", "logs", "workspace/experiments", "experiments")
    yield from ("workspace/trials", "trials")
    named = [run.settings, run.brief, run.seals, run.lock, run.last_profile, run.logs / LOG]
    named += map(run.index, INDEX_KINDS)
    for stage in opened.table:
        named += [run.flag(stage.nr), run.offer(stage.key), run.drafts(stage.nr)]
    for pattern in ("pinned/prompts/[0-9]*", "pinned/prompts/[cr]*", "pinned/prompts/_partials/*"):
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


def write_privately(path: Path, content: bytes) -> None:
    """Best effort: a folder that cannot be written costs the next call time."""
    with suppress(FlagstoneError):
        write_atomic(path, content, mode=0o600, durable=False)
