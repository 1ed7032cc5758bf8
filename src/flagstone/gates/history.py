"""Every version ever published, hand edits included, kept before anything may delete it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.gates.content import Content, digests_of
from flagstone.gates.moment import StageFiles
from flagstone.gates.runs import Publication, RunConfig, publication_file, turn_file
from flagstone.layout import INDEX_KINDS, Run
from flagstone.records import cannot_write, read_record, sync_folder, write_atomic, write_record
from flagstone.stages import Stage

KEPT_BYTES = 64_000_000  # a larger artifact stays in the workspace; its digest is kept


def keep_current(run: Run, files: StageFiles, *, is_being_changed: bool = False) -> None:
    """Keeps what is on disk now (a person may have edited it) unless it is the version last kept.

    While a stage is being changed, its agent may have edited listed files. The copy is kept then, but the version to
    return to stays the one that was published.
    """
    stage, content = files.stage, files.content
    record = read_record(publication_file(run, stage.nr))
    if content is None or record is None:
        return
    version = str(record.get("version"))
    known = read_record(run.history(stage.nr) / version / "version.json") or {}
    if known.get("digest") == content.digest:
        return
    newest = max(run.history(stage.nr).glob("[0-9][0-9][0-9][0-9]-*"), default=None)
    if is_being_changed and newest and newest.name.endswith(f"-{content.digest[:12]}"):
        return
    sources = files_on_disk(run, content)
    sources[run.relative(run.offer(stage.key))] = run.offer(stage.key)
    named = next_version(run, stage.nr, content)
    keep(run, stage, content, sources, named)
    if not is_being_changed:
        write_record(publication_file(run, stage.nr), {**record, "version": named})


def files_on_disk(run: Run, content: Content) -> dict[str, Path]:
    return {path: run.root / path for path, digest in content.files.items() if digest != "missing"}


def next_version(run: Run, nr: str, content: Content) -> str:
    """The name of the next kept version of a stage."""
    taken = (int(path.name[:4]) for path in run.history(nr).glob("[0-9][0-9][0-9][0-9]-*"))
    return f"{max(taken, default=0) + 1:04d}-{content.digest[:12]}"


def keep(run: Run, stage: Stage, content: Content, sources: Mapping[str, Path], version: str) -> None:
    """Copies a version to history/NN/<n>-<digest>/ in one rename."""
    folder = run.history(stage.nr)
    building = folder / f".{version}.{os.getpid()}"
    try:
        building.mkdir(parents=True)
        left_out = copy_files(sources, building, earlier_copies(run, stage.nr), content)
        facts = {"stage": stage.nr, "digest": content.digest}
        files = {"files": dict(content.files), "index": dict(content.index), "left_out": left_out}
        write_record(building / "version.json", {**facts, **files})
        building.rename(folder / version)
        sync_folder(folder)
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        raise cannot_write(folder, error) from error


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


def earlier_copies(run: Run, nr: str) -> dict[str, Path]:
    """Digest to kept file, for the newest version: most artifacts do not change between versions."""
    newest = kept_versions(run, nr)[-1:]
    copies = {digest: each.folder / path for each in newest for path, digest in each.files.items()}
    return {digest: copy for digest, copy in copies.items() if copy.is_file()}


@dataclass(frozen=True)
class Version:
    """One kept version of a stage: its folder in history, and the digest of each file it offered."""

    folder: Path
    digest: str
    files: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.folder.name


def kept_versions(run: Run, nr: str) -> list[Version]:
    """Every version ever published whose record can be read, oldest first."""
    folders = sorted(run.history(nr).glob("[0-9][0-9][0-9][0-9]-*"))
    records = ((folder, read_record(folder / "version.json") or {}) for folder in folders)
    return [
        Version(folder, str(record.get("digest", "")), record["files"])
        for folder, record in records
        if isinstance(record.get("files"), dict)
    ]


def version_folder(run: Run, nr: str, version: str) -> Path | None:
    """The folder of a kept version. Returns None if it is not there."""
    folder = run.history(nr) / version
    return folder if version and (folder / "version.json").is_file() else None


def kept_copy(run: Run, nr: str, path: str, digest: str) -> Path | None:
    """The newest kept copy of a file with exactly this content."""
    copies = (each.folder / path for each in reversed(kept_versions(run, nr)) if each.files.get(path) == digest)
    return next((copy for copy in copies if copy.is_file()), None)


def publish(run: Run, stage: Stage, offer: Path, summary: Path) -> None:
    """The offer, then the document: whoever sees the document sees the offer that belongs to it."""
    write_atomic(run.offer(stage.key), offer.read_bytes())
    write_atomic(run.summary(stage.key), summary.read_bytes())


def republish(run: Run, stage: Stage, was: Publication) -> bool:
    """Publishes the last version from history again, without a call of the agent."""
    folder = version_folder(run, stage.nr, was.version)
    if folder is None:
        return False
    summary, offer = run.summary(stage.key), run.offer(stage.key)
    kept_summary, kept_offer = folder / run.relative(summary), folder / run.relative(offer)
    if not kept_summary.is_file() or not kept_offer.is_file():
        return False
    publish(run, stage, kept_offer, kept_summary)
    return True


def kept_record(run: Run, files: StageFiles) -> dict[str, Any]:
    """What was kept of the version that a stage last published: its digest and files. Empty if it was not kept."""
    folder = version_folder(run, files.stage.nr, files.publication.version) if files.publication else None
    return (read_record(folder / "version.json") if folder else None) or {}


def take_back_requests(opened: RunConfig, files: StageFiles) -> list[str]:
    """Brings back the last version of a stage as it was published, and moves what was asked of it since to history.

    Returns what was done, one sentence each.
    """
    run, stage, was = opened.run, files.stage, files.publication
    assert was is not None
    lost = restore_files(opened, stage.nr, kept_record(run, files).get("files") or {})
    republish(run, stage, was)
    marks = [run.history(stage.nr) / f"redo-{number:04d}" for number in range(was.turn.redo + 1, files.redo + 1)]
    taken = [set_aside(run, stage.nr, mark, "withdrawn-redo") for mark in [*marks, run.redo(stage.nr)]]
    if (read_record(turn_file(run, stage.nr)) or {}).get("key") != was.turn.key:
        taken.append(set_aside(run, stage.nr, turn_file(run, stage.nr), "withdrawn-turn"))
    if files.feedback not in (None, was.turn.feedback):
        taken.append(set_aside(run, stage.nr, run.feedback(stage.nr), "withdrawn-feedback"))
    where = ", ".join(path for path in taken if path)
    said = [f"attempt {was.attempt} of stage {stage.key} counts again; the request was taken back (see {where})"]
    return said + [f"{path} of stage {stage.key} could not be brought back: no copy was kept" for path in lost]


def restoring_file(run: Run, nr: str) -> Path:
    """The record of a version that is being restored: from before a file is touched until the version is published."""
    return run.below("drafts", nr, "restoring.json")


def note_restoring(run: Run, files: StageFiles, version: str) -> None:
    """To be called before a version is restored, so that a call that is killed meanwhile can be undone."""
    was = files.publication.version if files.publication else ""
    indexes = {kind: read_record(run.index(kind)) for kind in INDEX_KINDS}
    write_record(restoring_file(run, files.stage.nr), {"version": version, "was": was, "indexes": indexes})


def end_restoring(opened: RunConfig, files: StageFiles) -> list[str]:
    """Makes the files those of the published version if a restore was killed; says so. Call it with the run's lock."""
    run, stage = opened.run, files.stage
    record = read_record(restoring_file(run, stage.nr))
    if record is None or files.publication is None:
        return []
    is_undone = files.publication.version == record["was"]
    if is_undone:
        run.below("drafts", stage.nr, f"restored-{record['version']}.json").unlink(missing_ok=True)
        for kind, index in record["indexes"].items():
            write_record(run.index(kind), index)
    restore_files(opened, stage.nr, kept_record(run, files).get("files") or {})
    republish(run, stage, files.publication)
    restoring_file(run, stage.nr).unlink()
    again = f"; to restore it: flagstone restore {stage.nr} {record['version']}"
    how = f"undone now{again}" if is_undone else "completed now"
    return [f"restoring version {record['version']} of stage {stage.key} was cut short, and is {how}"]


def set_aside(run: Run, nr: str, path: Path, name: str) -> str:
    """Moves a file to history under the next free number; returns its new path, or '' if it is not there."""
    folder = run.history(nr)
    folder.mkdir(parents=True, exist_ok=True)
    taken = sum(1 for _ in folder.glob(f"{name}-*"))
    target = folder / f"{name}-{taken + 1:04d}{path.suffix}"
    try:
        path.rename(target)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise cannot_write(target, error) from error
    return run.relative(target)


def restore_files(opened: RunConfig, nr: str, files: Mapping[str, str]) -> list[str]:
    """Brings listed files back to these digests; what is there now moves to history. Returns those without a copy."""
    run, lost = opened.run, []
    now = digests_of(opened, files)
    for path, digest in files.items():
        if now[path] == digest or path.startswith("stages/"):
            continue
        copy = kept_copy(run, nr, path, digest)
        if copy is None:
            lost.append(path)
            continue
        set_aside(run, nr, run.root / path, "replaced")
        write_atomic(run.root / path, copy.read_bytes())
    return lost
