"""What a stage offers for approval, as it lies on disk now: the one thing approvals are given for."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from flagstone.gates.opened import OpenedRun
from flagstone.layout import INDEX_KINDS, Run
from flagstone.records import digest_value, read_record
from flagstone.stages import Stage


@dataclass(frozen=True)
class Content:
    """Digests of the summary and of every listed artifact, and of the stage's rows in each index."""

    files: Mapping[str, str]
    index: Mapping[str, str]

    @cached_property
    def digest(self) -> str:
        return digest_value([sorted(self.files.items()), sorted(self.index.items())])

    def changes_since(self, files: Mapping[str, str], index: Mapping[str, str]) -> list[str]:
        """What differs from an earlier state, one readable phrase each."""
        found = []
        for path in sorted({*files, *self.files}):
            before, now = files.get(path), self.files.get(path)
            if before != now:
                word = "is new" if before is None else "is gone" if now in (None, "missing") else "changed"
                found.append(f"{path} {word}")
        return found + [f"its rows in index/{kind}.json changed" for kind in self.index_changes(index)]

    def index_changes(self, index: Mapping[str, str]) -> list[str]:
        """Which indexes say something else of this stage than they did."""
        return [kind for kind in sorted({*index, *self.index}) if index.get(kind) != self.index.get(kind)]

    @property
    def missing(self) -> list[str]:
        """Listed files that are not there."""
        return [path for path, digest in self.files.items() if digest == "missing"]


def offer_of(run: Run, stage: Stage) -> dict[str, Any] | None:
    """The stage's offer record, if it is there, readable and about this stage."""
    record = read_record(run.offer(stage.key))
    if record is None or record.get("stage") != stage.nr or not isinstance(record.get("artifacts"), list):
        return None
    return record


def content_of(opened: OpenedRun, stage: Stage) -> Content | None:
    """What the stage offers now; None when it has published nothing, or its document is gone."""
    return opened.once(("content", stage.nr), lambda: content_now(opened, stage))


def content_now(opened: OpenedRun, stage: Stage) -> Content | None:
    offer = offer_of(opened.run, stage)
    if offer is None:
        return None
    summary = opened.run.relative(opened.run.summary(stage.key))
    files = {summary: digest_now(opened, summary)}
    if files[summary] == "missing":
        return None
    files |= {path: digest_now(opened, path) for path in listed_paths(offer)}
    return Content(files, index_slices(opened, stage.nr))


def listed_paths(offer: Mapping[str, Any]) -> list[str]:
    return [str(row.get("path")) for row in offer["artifacts"] if isinstance(row, dict)]


def digest_now(opened: OpenedRun, path: str) -> str:
    """The digest of a listed file, or `missing`: nothing outside the run is ever read."""
    target = os.path.join(opened.run.root, path)
    folder, name = os.path.split(target)
    try:
        resolved = os.path.join(real_folder(opened, folder), name)
        status = os.lstat(resolved)
        if stat.S_ISLNK(status.st_mode):
            resolved = os.path.realpath(resolved)
            status = os.stat(resolved)
        inside = resolved.startswith(real_folder(opened, str(opened.run.root)) + os.sep)
        return opened.cache.digest(target, status) if inside and stat.S_ISREG(status.st_mode) else "missing"
    except (OSError, ValueError):
        return "missing"


def real_folder(opened: OpenedRun, folder: str) -> str:
    """Where a folder really is, found out once: most files lie in few folders."""
    return opened.once(("folder", folder), lambda: real_folder_now(opened, folder))


def real_folder_now(opened: OpenedRun, folder: str) -> str:
    above, name = os.path.split(folder)
    if name in ("", ".", "..") or not above.startswith(str(opened.run.root)):
        return os.path.realpath(folder)
    joined = os.path.join(real_folder(opened, above), name)
    return os.path.realpath(joined) if os.path.islink(joined) else joined


def index_slices(opened: OpenedRun, nr: str) -> dict[str, str]:
    """For each index, the digest of the rows this stage produced."""
    slices = {}
    for kind in INDEX_KINDS:
        rows = opened.once(("index", kind), partial(rows_by_stage, opened.run, kind))
        if rows.get(nr):
            slices[kind] = digest_value(rows[nr])
    return slices


def rows_by_stage(run: Run, kind: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of an index under the stage that produced them; who made them is not part of what is approved."""
    record = read_record(run.index(kind))
    rows = record.get("entries") if record else None
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows if isinstance(rows, list) else []:
        producer = row.get("producer") if isinstance(row, dict) else None
        if isinstance(producer, dict):
            kept = {key: value for key, value in row.items() if key != "producer"}
            found.setdefault(str(producer.get("stage")), []).append(kept)
    return found
