"""Every version ever published, hand edits included, kept before anything may delete it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flagstone.gates.content import Content, content_of
from flagstone.gates.opened import OpenedRun
from flagstone.gates.turns import consumed_file
from flagstone.layout import Run
from flagstone.records import cannot_write, read_record, sync_folder, write_record
from flagstone.stages import Stage

KEPT_BYTES = 64_000_000  # a larger artifact stays in the workspace; its digest is kept


def keep_current(opened: OpenedRun, stage: Stage) -> None:
    """Keeps what lies on disk now (a person may have edited it) unless it is the version last kept."""
    content = content_of(opened, stage)
    record = read_record(consumed_file(opened.run, stage.nr))
    if content is None or record is None:
        return
    version = read_record(opened.run.history(stage.nr) / str(record.get("version")) / "version.json") or {}
    if version.get("digest") == content.digest:
        return
    kept = keep(opened, stage, content, files_on_disk(opened.run, content))
    write_record(consumed_file(opened.run, stage.nr), {**record, "version": kept})


def files_on_disk(run: Run, content: Content) -> dict[str, Path]:
    return {path: run.root / path for path, digest in content.files.items() if digest != "missing"}


def keep(opened: OpenedRun, stage: Stage, content: Content, sources: Mapping[str, Path]) -> str:
    """Copies a version to history/NN/<n>-<digest>/ in one rename, and returns its folder's name."""
    run = opened.run
    folder = run.history(stage.nr)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(path.name[:4]) for path in folder.glob("[0-9][0-9][0-9][0-9]-*")), default=0)
        name = f"{number:04d}-{content.digest[:12]}"
        building = folder / f".{name}.{os.getpid()}"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir()
        left_out = copy_files(sources, building, earlier_copies(folder), content)
        if run.offer(stage.key).is_file() and run.relative(run.offer(stage.key)) not in sources:
            copy_into(run.offer(stage.key), building / run.relative(run.offer(stage.key)))
        facts = {"stage": stage.nr, "digest": content.digest, "files": dict(content.files), "index": dict(content.index)}
        write_record(building / "version.json", {**facts, "left_out": left_out})
        building.rename(folder / name)
        sync_folder(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return name


def copy_files(sources: Mapping[str, Path], target: Path, earlier: Mapping[str, Path], content: Content) -> list[str]:
    """Copies (or, where a kept copy has the same digest, links) each file; returns what was too large."""
    left_out = []
    for path, source in sources.items():
        copy = target / path
        known = earlier.get(content.files.get(path, ""))
        if known:
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.link(known, copy)
        elif os.path.getsize(source) > KEPT_BYTES:
            left_out.append(path)
        else:
            copy_into(source, copy)
    return left_out


def copy_into(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    os.chmod(target, 0o444)


def earlier_copies(folder: Path) -> dict[str, Path]:
    """Digest to kept file, for the newest version: most artifacts do not change between versions."""
    versions = sorted(folder.glob("[0-9][0-9][0-9][0-9]-*"))
    record: dict[str, Any] = (read_record(versions[-1] / "version.json") or {}) if versions else {}
    files = record.get("files")
    if not isinstance(files, dict):
        return {}
    copies = {digest: versions[-1] / path for path, digest in files.items()}
    return {digest: copy for digest, copy in copies.items() if copy.is_file()}


def version_folder(run: Run, nr: str, version: str) -> Path | None:
    """Where a kept version lies, if it does."""
    folder = run.history(nr) / version
    return folder if version and (folder / "version.json").is_file() else None
