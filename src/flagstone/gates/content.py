"""What a stage offers for approval: the summary, the listed artifacts, and its rows in each index."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flagstone import records
from flagstone.gates.runs import RunConfig
from flagstone.layout import INDEX_KINDS, Run
from flagstone.plans import all_plans
from flagstone.records import DigestCache, digest_value, read_record
from flagstone.stages import Stage

MISSING = "missing"


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
                word = "is new" if before is None else "is gone" if now in (None, MISSING) else "changed"
                found.append(f"{path} {word}")
        return found + [f"its rows in index/{kind}.json changed" for kind in self.index_changes(index)]

    def index_changes(self, index: Mapping[str, str]) -> list[str]:
        """The indexes whose entries about this stage have changed."""
        return [kind for kind in sorted({*index, *self.index}) if index.get(kind) != self.index.get(kind)]

    @property
    def missing_files(self) -> list[str]:
        """Listed files that are not there."""
        return [path for path, digest in self.files.items() if digest == MISSING]


def offer_of(run: Run, stage: Stage) -> dict[str, Any] | None:
    """The stage's offer. Returns None if it is not there, not readable, or about another stage."""
    record = read_record(run.offer(stage.key))
    if record is None or record.get("stage") != stage.nr or not isinstance(record.get("artifacts"), list):
        return None
    return record


def content_of(opened: RunConfig, stage: Stage) -> Content | None:
    """What the stage offers now; None if it has published nothing, or its document is gone."""
    stages = (*opened.table.ancestors(stage.nr), stage)
    return contents_of(opened, {each: offer_of(opened.run, each) for each in stages})[stage.nr]


def contents_of(opened: RunConfig, offers: Mapping[Stage, Mapping[str, Any] | None]) -> dict[str, Content | None]:
    """What each stage offers now; every listed file is looked at once, however many stages list it.

    Whoever asks about a stage gives the offers of its ancestors as well.
    """
    run, found = opened.run, dict[str, Content | None]()
    listed = {
        stage: [run.relative(run.summary(stage.key)), *listed_paths(offer)] for stage, offer in offers.items() if offer
    }
    for stage, paths in late_plans(opened, listed).items():
        listed[stage] += paths
    digests = digests_of(opened, {path: None for paths in listed.values() for path in paths})
    slices = index_slices(run) if listed else {}
    for stage in offers:
        files = {path: digests[path] for path in listed.get(stage, ())}
        is_there = files.get(run.relative(run.summary(stage.key)), MISSING) != MISSING
        found[stage.nr] = Content(files, slices.get(stage.nr, {})) if is_there else None
    return found


def late_plans(opened: RunConfig, listed: Mapping[Stage, list[str]]) -> dict[Stage, list[str]]:
    """Plans that came after the offers. They belong to the last stage before they are run: nothing runs unapproved."""
    table, run = opened.table, opened.run
    last = [stage for stage in listed if any(each.runs_experiments and stage.nr in each.after for each in table)]
    plans = [run.relative(plan.path) for plan in all_plans(run)] if last else []
    found = {}
    for stage in last:
        above = (*table.ancestors(stage.nr), stage)
        offered = {path for each in above for path in listed.get(each, ())}
        found[stage] = [path for path in plans if path not in offered]
    return found


def listed_paths(offer: Mapping[str, Any]) -> list[str]:
    return [str(row.get("path")) for row in offer["artifacts"] if isinstance(row, dict)]


def digests_of(opened: RunConfig, paths: Iterable[str]) -> dict[str, str]:
    """The digest of each listed file, or `missing`. Nothing outside the run is ever read."""
    root, top = str(opened.run.root), os.path.realpath(opened.run.root)
    folders: dict[str, str] = {}  # where each folder really is: most files share a few
    found = {}
    for path in paths:
        folder, name = os.path.split(path)
        real = folders.get(folder)
        if real is None:
            real = folders[folder] = os.path.realpath(os.path.join(top, folder))
        found[path] = digest_within(opened.cache, f"{root}/{path}", f"{real}/{name}", f"{top}/")
    return found


def digest_within(cache: DigestCache, path: str, real: str, top: str) -> str:
    try:
        status = os.lstat(real)
        if stat.S_ISLNK(status.st_mode):
            real = os.path.realpath(real)
            status = os.stat(real)
        is_ours = real.startswith(top) and stat.S_ISREG(status.st_mode)
        return cache.digest(path, status) if is_ours else MISSING
    except (OSError, ValueError):
        return MISSING


def index_slices(run: Run) -> dict[str, dict[str, str]]:
    """For each stage, the digest of the rows that it has in each index."""
    found: dict[str, dict[str, str]] = {}
    for kind in INDEX_KINDS:
        for nr, rows in rows_by_stage(run, kind).items():
            found.setdefault(nr, {})[kind] = digest_value(rows)
    return found


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


def read_text(path: Path) -> str:
    """The text of a file, or '' if it cannot be read."""
    return (records.content_of(path) or b"").decode("utf-8", errors="replace")


def goal_of(run: Run) -> str:
    """The goal as brief.md says it: what follows its heading, up to the next one."""
    found: list[str] = []
    for line in read_text(run.brief).partition("## Goal\n")[2].splitlines():
        if line.startswith("#"):
            break
        found.append(line)
    return "\n".join(found).strip()
