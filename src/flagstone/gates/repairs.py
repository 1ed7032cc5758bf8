"""Putting right what a crash or an accident broke, from what is left, and saying so."""

from __future__ import annotations

import os
import shutil

from flagstone import seals
from flagstone.gates.content import offer_of
from flagstone.gates.history import end_restoring, version_folder
from flagstone.gates.moment import StageFiles
from flagstone.gates.runs import RunConfig, last_publication, publication_file
from flagstone.gates.sealing import waiting_flag
from flagstone.records import Ledger, read_record, write_atomic, write_record
from flagstone.stages import Stage


def repair_records(opened: RunConfig) -> list[str]:
    """Recovers every record that can be; returns what was done, one sentence each."""
    said = list(Ledger(opened.run.seals).problems())
    for stage in opened.table:
        said += repair_stage(opened, stage) + finish_approval(opened, stage)
        said += end_restoring(opened, StageFiles(stage, publication=last_publication(opened.run, stage.nr, None)))
    return said


def finish_approval(opened: RunConfig, stage: Stage) -> list[str]:
    """Puts the flag of a seal in place if a kill came between the two."""
    flag, waiting = opened.run.flag(stage.nr), waiting_flag(opened.run, stage.nr)
    if not waiting.exists():
        return []
    seal = seals.last_decision(opened.run, stage.nr) or seals.Seal()
    if seal.event != "approved" or seal.flag_mtime_ns != waiting.stat().st_mtime_ns or flag.exists():
        waiting.unlink()
        return []
    os.replace(waiting, flag)
    by = f"policy: {seal.policy}" if seal.policy else seal.who
    return [f"stage {stage.key} was approved ({by}) when the run was cut short; its flag is there now"]


def repair_stage(opened: RunConfig, stage: Stage) -> list[str]:
    run = opened.run
    offered = offer_of(run, stage)
    was = last_publication(run, stage.nr, offered)
    said: list[str] = []
    if was is None:
        return said
    folder = version_folder(run, stage.nr, was.version)
    offer, kept = run.offer(stage.key), folder / run.relative(run.offer(stage.key)) if folder else None
    if offer.exists() and offered is None and kept and kept.is_file():
        shutil.copyfile(offer, run.history(stage.nr) / f"broken-{stage.key}.json")
        write_atomic(offer, kept.read_bytes())
        said.append(f"stages/{stage.key}.json could not be read; it was restored from {run.relative(kept)}")
    published = publication_file(run, stage.nr)
    if read_record(published) is None and offered:
        was_there = published.exists()
        if was_there:
            run.history(stage.nr).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(published, run.history(stage.nr) / "broken-published.json")
        record = {"turn": was.turn.to_record(), "attempt": was.attempt, "version": was.version}
        write_record(published, {**record, "session_id": was.session_id})
        why = "could not be read" if was_there else "was missing"
        said.append(f"drafts/{stage.nr}/published.json {why}; it was rebuilt from the stage's offer")
    return said
