"""Moments of a run of three stages, each resting on the one before, put together without a file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flagstone.gates.content import Content
from flagstone.gates.moment import Flag, Moment, StageFiles
from flagstone.gates.runs.publication import Publication, Turn
from flagstone.seals import Seal
from flagstone.stages import Stage, StageTable

SECOND = 1_000_000_000
BUILT, TOUCHED, NOW = 100 * SECOND, 200 * SECOND, 300 * SECOND
SETTINGS: dict[str, object] = {"agent": "demo", "model": None, "brief": "b"}


def stage(nr: str, *after: str) -> Stage:
    return Stage(nr, f"stage_{nr}", f"Stage {nr}", after, "work", (), shows_index=False, shows_venue=False)


TABLE = StageTable((stage("01"), stage("02", "01"), stage("03", "02")))
FLAG = Flag(mtime_ns=TOUCHED, made_ns=TOUCHED)


def content(nr: str, words: str = "") -> Content:
    return Content({f"stages/{nr}.md": f"digest of {nr}{words}", f"workspace/notes/{nr}.md": "note"}, {})


def seal_of(files: StageFiles, **facts: Any) -> Seal:
    """The approval of exactly these files."""
    assert files.content and files.publication
    seal = Seal(
        event="approved",
        digest=files.content.digest,
        files=files.content.files,
        index=files.content.index,
        settings=files.settings,
        attempt=files.publication.attempt,
        flag_mtime_ns=TOUCHED,
    )
    return replace(seal, **facts)


def unbuilt(nr: str) -> StageFiles:
    return StageFiles(TABLE.stage(nr), settings=SETTINGS)


def built(nr: str) -> StageFiles:
    """A stage as it is right after its first publication; nobody has decided anything."""
    made = content(nr)
    upstream = {up.nr: content(up.nr).digest for up in TABLE.ancestors(nr)}
    return StageFiles(
        TABLE.stage(nr),
        content=made,
        offer={"built_ns": BUILT, "attempt": 1},
        publication=Publication(Turn("", 0, upstream, SETTINGS), 1, "0001-x", "session"),
        settings=SETTINGS,
    )


def approved(nr: str) -> StageFiles:
    """A stage that a person approved by a touch, which was sealed."""
    files = built(nr)
    return replace(files, flag=FLAG, decisions=(seal_of(files),))


def edited(files: StageFiles, at_ns: float = NOW) -> StageFiles:
    """The same stage after a person edited its summary."""
    path = f"stages/{files.stage.nr}.md"
    return replace(files, content=content(files.stage.nr, " edited"), moved=((path, at_ns),))


def moment(*given: StageFiles) -> Moment:
    """A moment in which every stage that is not given is unbuilt."""
    stages = {each.nr: unbuilt(each.nr) for each in TABLE} | {files.stage.nr: files for files in given}
    return Moment(TABLE, stages, NOW)
