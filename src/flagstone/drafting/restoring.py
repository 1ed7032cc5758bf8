"""Offers an earlier version of a stage again, as a new version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagstone.drafting.promotion import NewVersion, build_indexes, publish_version
from flagstone.errors import FlagstoneError
from flagstone.gates import RunConfig, StageFiles, digests_of, history, kept_copy, next_turn, read_moment
from flagstone.layout import Run
from flagstone.locks import hold
from flagstone.records import read_record
from flagstone.stages import Stage


def restore_version(opened: RunConfig, stage: Stage, word: str) -> str:
    """Offers a kept version again, with the files it listed; returns the name of the new version.

    What is there now moves to history first, and a request that is open is taken back.
    """
    run = opened.run
    with hold(run.lock, f"run {run.name}"), hold(run.drafts(stage.nr) / ".lock", f"stage {stage.nr} of {run.name}"):
        history.end_restoring(opened, read_moment(opened).stages[stage.nr])
        folder = kept_version(run, stage, word)
        record = read_record(folder / "version.json") or {}
        offer = read_record(folder / run.relative(run.offer(stage.key))) or {}
        summary = folder / run.relative(run.summary(stage.key))
        files = read_moment(opened).stages[stage.nr]
        refuse(opened, files, record, folder)
        history.keep_current(run, files)
        files = read_moment(opened).stages[stage.nr]
        history.note_restoring(run, files, folder.name)
        if files.publication and (files.feedback or files.redo != files.publication.turn.redo):
            history.take_back_requests(opened, files)
        history.restore_files(opened, stage.nr, record["files"])
        build_indexes(opened, stage, int(offer.get("attempt", 0)))
        made = NewVersion(
            summary=summary,
            offer=run.drafts(stage.nr) / f"restored-{folder.name}.json",
            artifacts=sorted(set(record["files"]) - {run.relative(run.summary(stage.key))}),
            attempt=int(offer.get("attempt", 0)),
            session_id=str(offer.get("session_id", "")),
            turn=next_turn(read_moment(opened), stage),
        )
        new = publish_version(opened, stage, made)
        history.restoring_file(run, stage.nr).unlink()
        return new


def kept_version(run: Run, stage: Stage, word: str) -> Path:
    """The folder of the version that a person means by its number or by the beginning of its name."""
    folders = sorted(run.history(stage.nr).glob("[0-9][0-9][0-9][0-9]-*"))
    wanted = f"{int(word):04d}-" if word.isdecimal() else word
    found = next((folder for folder in folders if folder.name.startswith(wanted)), None)
    if found is None:
        known = ", ".join(folder.name for folder in folders[-8:]) or "none yet"
        raise FlagstoneError(f"stage {stage.nr} has no version {word!r}", hint=f"its versions: {known}")
    return found


def refuse(opened: RunConfig, files: StageFiles, record: Mapping[str, Any], folder: Path) -> None:
    """Raises an error if a version cannot be offered again, before anything is changed."""
    stage = files.stage
    if files.digest == record.get("digest"):
        raise FlagstoneError(
            f"version {folder.name} is what stage {stage.nr} offers now",
            hint=f"approve it: flagstone approve {stage.nr} --run {opened.run.name}",
        )
    listed = record.get("files") or {}
    now = digests_of(opened, listed)
    lost = [
        path
        for path, digest in listed.items()
        if now[path] != digest and kept_copy(opened.run, stage.nr, path, digest) is None
    ]
    if lost or not listed:
        raise FlagstoneError(
            f"version {folder.name} cannot be offered again: no copy was kept of {', '.join(lost[:5]) or 'its files'}",
            hint=f"read what is there: {folder}, or do the stage again: flagstone redo {stage.nr}",
        )
