"""The run's own copy of a project: what is committed, the uncommitted edits of the mutable files, and its data."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates import ENVIRONMENTS, LEFT_OUT, plain_environment
from flagstone.globs import matches
from flagstone.layout import Run
from flagstone.processes import run_quietly
from flagstone.records import digest_file, digest_value, write_record

COPY = "workspace/code/project"
SETUP = "workspace/notes/setup.json"
GIT_S = 600
LEFT_BEHIND = (*LEFT_OUT, *ENVIRONMENTS)
INTERPRETERS = (".venv/bin/python", "venv/bin/python")


@dataclass(frozen=True)
class Handover:
    """What a person hands over for a campaign: the project, which files may change, its data, and a short test."""

    project: Path
    mutable: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    smoke: tuple[str, ...] = ()
    hosts: Mapping[str, str] = field(default_factory=dict)  # that its set-up asks for, with the place that names each


def hand_over(run: Run, asked: Handover) -> str:
    """Copies the project into the run, and records what was copied. Returns the interpreter of its environment."""
    target = run.root / COPY
    commit, uncommitted = copy_project(asked.project, target, asked.mutable)
    data = {path: copy_data(asked.project, path, target, run) for path in asked.data}
    environment = interpreter_of(asked.project) or "python"
    record = {
        "project": asked.project.resolve().name,
        "commit": commit,
        "uncommitted": uncommitted,
        "digest": digest_of(target),
        "data": data,
        "environment": environment,
        "smoke": list(asked.smoke),
        "hosts": dict(asked.hosts),
    }
    write_record(run.root / SETUP, record)
    return environment


def copy_project(project: Path, target: Path, mutable: Sequence[str]) -> tuple[str, list[str]]:
    """Copies HEAD of a repository and the uncommitted mutable files; of another folder, everything but environments.

    Returns the commit, and the uncommitted files.
    """
    code, head, stderr = git(project, "rev-parse", "HEAD")
    if code and b"dubious ownership" in stderr:
        raise FlagstoneError(
            f"git does not read {project}, which belongs to somebody else", hint="copy the project, or change its owner"
        )
    if code:
        shutil.copytree(project, target, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
        return "", []
    code, content, stderr = git(project, "archive", "--format=tar", "HEAD")
    if code:
        why = stderr.decode("utf-8", "replace").strip()
        raise FlagstoneError(f"cannot read the commit of {project}: {why}", hint="see: git -C PROJECT status")
    target.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(target, filter=without_ways_out)
    changed = [path for path in uncommitted_files(project) if matches(path, mutable)]
    for path in changed:
        (target / path).unlink(missing_ok=True)
        if (project / path).is_file():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(project / path, target / path)
    return head.decode().strip(), changed


def without_ways_out(member: tarfile.TarInfo, target: str) -> tarfile.TarInfo | None:
    """Leaves out links that lead out of the project: they would lead elsewhere from the copy."""
    try:
        return tarfile.data_filter(member, target)
    except tarfile.FilterError:
        return None


def uncommitted_files(project: Path) -> Iterator[str]:
    """Every file below the project that differs from HEAD, or is new and not ignored."""
    for words in (("diff", "--name-only", "--relative", "-z", "HEAD"), ("ls-files", "-o", "--exclude-standard", "-z")):
        _, content, _ = git(project, *words)
        yield from (os.fsdecode(name) for name in content.split(b"\0") if name)


def git(project: Path, *words: str) -> tuple[int, bytes, bytes]:
    return run_quietly(["git", *words], project, GIT_S, env=plain_environment())


def copy_data(project: Path, path: str, target: Path, run: Run) -> str:
    """Copies a file or folder of data to workspace/data, with a link where the project expects it; its digest."""
    source, kept = project / path, run.workspace / "data" / "project" / path
    if not source.exists() or not source.resolve().is_relative_to(project.resolve()):
        raise FlagstoneError(f"there is no data {path} in {project}", hint="give a path within the project with --data")
    kept.parent.mkdir(parents=True, exist_ok=True)
    copy = shutil.copytree if source.is_dir() else shutil.copyfile
    copy(source, kept)
    place = target / path
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)  # of our copy: the same files lie below workspace/data
    else:
        place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(os.path.relpath(kept, place.parent))
    return digest_of(kept)


def digest_of(path: Path) -> str:
    """The digest of a file, or of all files of a folder with their names."""
    if path.is_file():
        return digest_file(path)
    files = sorted(each for each in path.rglob("*") if each.is_file() and not each.is_symlink())
    found: Mapping[str, str] = {each.relative_to(path).as_posix(): digest_file(each) for each in files}
    return digest_value(found)


def interpreter_of(project: Path) -> str:
    """The interpreter of the project's own environment, which is used and never changed; '' if it has none."""
    found = (project.absolute() / name for name in INTERPRETERS)
    return next((str(path) for path in found if os.access(path, os.X_OK)), "")
