"""What a stage offers for approval, as it lies on disk now: the one thing approvals are given for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flagstone.gates.opened import OpenedRun
from flagstone.layout import INDEX_KINDS, Run
from flagstone.records import DigestCache, digest_value, read_record
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
        kinds = (kind for kind in sorted({*index, *self.index}) if index.get(kind) != self.index.get(kind))
        return found + [f"its rows in index/{kind}.json changed" for kind in kinds]


def offer_of(run: Run, stage: Stage) -> dict[str, Any] | None:
    """The stage's offer record, if it is there, readable and about this stage."""
    record = read_record(run.offer(stage.key))
    if record is None or record.get("stage") != stage.nr or not isinstance(record.get("artifacts"), list):
        return None
    return record


def content_of(opened: OpenedRun, stage: Stage) -> Content | None:
    """What the stage offers now; None when it has published nothing, or its document is gone."""
    offer = offer_of(opened.run, stage)
    if offer is None or not opened.run.summary(stage.key).is_file():
        return None
    paths = [opened.run.relative(opened.run.summary(stage.key))]
    paths += [str(row.get("path")) for row in offer["artifacts"] if isinstance(row, dict)]
    return Content(
        files={path: digest_now(opened.run, path, opened.cache) for path in paths},
        index=index_slices(opened.run, stage.nr),
    )


def digest_now(run: Run, path: str, cache: DigestCache) -> str:
    """The digest of a listed file, or `missing`: nothing outside the run is ever read."""
    target = run.root / path
    try:
        resolved = os.path.realpath(target)
        inside = resolved.startswith(os.path.realpath(run.root) + os.sep)
        return cache.digest(target) if inside and os.path.isfile(resolved) else "missing"
    except OSError:
        return "missing"


def index_slices(run: Run, nr: str) -> dict[str, str]:
    """For each index, the digest of the rows this stage produced (who made them apart)."""
    slices = {}
    for kind in INDEX_KINDS:
        record = read_record(run.index(kind))
        rows = record.get("entries") if record else None
        if not isinstance(rows, list):
            continue
        own = [
            {key: value for key, value in row.items() if key != "producer"}
            for row in rows
            if isinstance(row, dict) and (row.get("producer") or {}).get("stage") == nr
        ]
        if own:
            slices[kind] = digest_value(own)
    return slices
