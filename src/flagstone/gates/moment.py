"""What is on disk about a run at one moment, read once: gates are judged from this and from nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from stat import S_ISREG
from typing import Any

from flagstone import seals
from flagstone.gates.content import Content, contents_of, offer_of
from flagstone.gates.runs import (
    Publication,
    RunConfig,
    is_copied_flag,
    is_noted,
    last_publication,
    note,
    publication_file,
    turn_file,
)
from flagstone.layout import INDEX_KINDS, Run
from flagstone.records import content_of, digest_bytes, digest_value, mark_of
from flagstone.stages import Stage, StageTable


@dataclass(frozen=True)
class Flag:
    """A person's approval file. Whoever made it could set `mtime_ns`, but not `made_ns`."""

    mtime_ns: int
    made_ns: int
    owner: int = 0
    is_copied: bool = False  # it came with a copy of the run, so its time says nothing here


@dataclass(frozen=True)
class StageFiles:
    """Everything on disk that decides about one stage."""

    stage: Stage
    content: Content | None = None
    offer: Mapping[str, Any] = field(default_factory=dict)
    moved: tuple[tuple[str, float], ...] = ()  # what differs from the offer: path, and when it was last changed
    publication: Publication | None = None
    flag: Flag | None = None
    decisions: tuple[seals.Seal, ...] = ()
    feedback: str | None = None  # its digest
    redo: int = 0
    asked_ns: int = 0  # when something was last asked of the stage, or an agent last worked on it
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return self.content.digest if self.content else ""

    @property
    def seal(self) -> seals.Seal | None:
        """The newest approval, whether or not it was taken back since."""
        return seals.newest_seal(self.decisions, "approved")


@dataclass(frozen=True)
class Moment:
    """One state of a run. `marks` tell whether the files may have changed since."""

    table: StageTable
    stages: Mapping[str, StageFiles]
    now_ns: int
    marks: object = None


def marks_of(opened: RunConfig) -> list[object]:
    """A mark of each file that a person, a command or a job changes: equal marks, equal moment.

    A file that is listed for approval has no mark here. Only a job or a person changes it, and every job of Snakemake
    makes its log in logs/.
    """
    run = opened.run
    paths = [run.settings, run.brief, run.aborted, run.seals, run.logs, run.logs / "calls.jsonl"]
    paths += [run.approved, run.below("feedback"), run.below("redo")]
    paths += [run.index(kind) for kind in INDEX_KINDS]
    paths += [run.plans, run.below("workspace", "trials")]
    for stage in opened.table:
        nr = stage.nr
        paths += [run.flag(nr), run.feedback(nr), run.redo(nr), run.history(nr), run.summary(stage.key)]
        paths += [run.offer(stage.key), publication_file(run, nr), turn_file(run, nr)]
    return [mark_of(path) for path in paths]


def is_refreshed(run: Run, moment: Moment) -> bool:
    """Whether what is derived from this moment was written, and nobody touched it since."""
    return is_noted(run, "derived", derived_key(run, moment))


def remember_refresh(run: Run, moment: Moment) -> None:
    """To be called when what is derived from a run is written (see `status.refresh_derived`)."""
    note(run, "derived", derived_key(run, moment))


def derived_key(run: Run, moment: Moment) -> str:
    """One word for what the derived files are made from, and for the files themselves."""
    sources = [[files.digest, files.settings] for files in moment.stages.values()]
    written = [mark_of(path) for path in (run.memory, run.root / "handoff", run.manifest, run.report)]
    return digest_value([moment.marks, sources, written])


def read_moment(opened: RunConfig) -> Moment:
    """Reads every file that decides, once."""
    marks = marks_of(opened)
    offers = {stage: offer_of(opened.run, stage) for stage in opened.table}
    contents = contents_of(opened, offers)
    settings = opened.settings_facts()
    stages = {
        stage.nr: stage_files(opened, stage, offers[stage], contents[stage.nr], settings[stage.nr])
        for stage in opened.table
    }
    return Moment(opened.table, stages, time.time_ns(), marks)


def stage_files(
    opened: RunConfig,
    stage: Stage,
    offer: Mapping[str, Any] | None,
    content: Content | None,
    settings: Mapping[str, object],
) -> StageFiles:
    run = opened.run
    return StageFiles(
        stage=stage,
        content=content,
        offer=offer or {},
        moved=moved_files(run, stage, offer, content) if offer and content else (),
        publication=last_publication(run, stage.nr, offer),
        flag=flag_of(run, stage),
        decisions=tuple(seals.decisions(run, stage.nr)),
        feedback=pending_feedback(run, stage.nr),
        redo=redo_count(run, stage.nr),
        asked_ns=last_asked_ns(run, stage.nr) if run.flag(stage.nr).exists() else 0,
        settings=settings,
    )


def moved_files(run: Run, stage: Stage, offer: Mapping[str, Any], content: Content) -> tuple[tuple[str, float], ...]:
    """What is not as it was offered, with the time of its last change."""
    offered = {str(row.get("path")): row.get("digest") for row in offer["artifacts"] if isinstance(row, dict)}
    offered[run.relative(run.summary(stage.key))] = offer.get("summary")
    moved = [path for path, digest in content.files.items() if digest != offered.get(path)]
    index = offer.get("index")
    moved += [f"index/{kind}.json" for kind in content.index_changes(index if isinstance(index, dict) else {})]
    return tuple((path, changed_ns(run.root / path)) for path in moved)


def changed_ns(path: Path) -> float:
    """When a file was last changed: its ctime, which nobody can set back. A file that is gone has no such time."""
    try:
        return os.stat(path).st_ctime_ns
    except OSError:
        return inf


def flag_of(run: Run, stage: Stage) -> Flag | None:
    try:
        stat = os.stat(run.flag(stage.nr))
    except OSError:
        return None
    if not S_ISREG(stat.st_mode):
        return None
    spent = is_copied_flag(run, stage.key, stage.nr, stat.st_mtime_ns)
    return Flag(stat.st_mtime_ns, stat.st_ctime_ns, stat.st_uid, spent)


def pending_feedback(run: Run, nr: str) -> str | None:
    """The digest of the feedback file, if a person has written one."""
    try:
        words = run.feedback(nr).read_bytes()
    except OSError:
        return None
    return digest_bytes(words) if words.strip() else None


def waiting_feedback(run: Run, stage: Stage) -> bytes:
    """The words of a person that no version answers yet. Empty if there are none."""
    words = content_of(run.feedback(stage.nr)) or b""
    was = last_publication(run, stage.nr, offer_of(run, stage))
    return b"" if was and digest_bytes(words) == was.turn.feedback else words


def redo_count(run: Run, nr: str) -> int:
    """How often this stage was asked to start anew: the marks taken up so far, and one that waits."""
    folder, taken = str(run.history(nr)), 0
    while os.path.exists(f"{folder}/redo-{taken + 1:04d}"):
        taken += 1
    return taken + int(os.path.exists(run.redo(nr)))


def last_asked_ns(run: Run, nr: str) -> int:
    """The latest of these times: feedback was written, a new start was requested, or an agent worked on the stage."""
    drafts, taken = run.drafts(nr), redo_count(run, nr)
    attempts = [name for name in names_in(drafts) if name.isdecimal()]
    paths = [run.feedback(nr), run.redo(nr), run.history(nr) / f"redo-{taken:04d}", turn_file(run, nr)]
    paths += [drafts / max(attempts, key=int) / "events.log"] if attempts else []
    return max((int(at) for path in paths if (at := changed_ns(path)) != inf), default=0)


def names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
