"""The job of the rule `bundle`: packs a run that is approved, and records which bundle that gave."""

from __future__ import annotations

import os
from pathlib import Path

from flagstone.bundle import pack_bundle, verify_bundle
from flagstone.errors import FlagstoneError
from flagstone.gates import open_run
from flagstone.layout import Run
from flagstone.records import write_record
from flagstone.settings import find_project


def main(words: list[str]) -> int:
    """Always leaves a record: a bundle that cannot be packed is told, and takes no approval back."""
    (record,) = map(Path, words)
    run = Run(record.absolute().parent.parent)
    scripts = os.environ.get("FLAGSTONE_SCRIPTS")
    opened = open_run(find_project(Path(scripts) if scripts else run.root), run, validate=False)
    try:
        made = pack_bundle(opened, run.bundle)
        failed = [line.name for line in verify_bundle(made.path) if line.held is False]
        sizes = {"digest": made.digest, "files": made.files, "size": made.size}
        found = {"bundle": run.relative(made.path), **sizes, "failed": failed}
    except FlagstoneError as error:
        found = {"problem": error.problem, "hint": error.hint}
    write_record(record, found)
    return 0
