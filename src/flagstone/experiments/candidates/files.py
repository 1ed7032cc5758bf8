"""A few files of a project that itself stays as it is, as the subject of an experiment."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.experiments.candidates.objects import FILE, LINK, PROGRAM, Blob, Store
from flagstone.experiments.candidates.overlay import Overlay, default_scratch, emptied, stray, walked
from flagstone.experiments.candidates.subject import Snapshot
from flagstone.globs import matches
from flagstone.plans import RunFolder, SubjectSpec
from flagstone.records import cannot_write

LARGEST = 20_000_000
REMEMBERED = 64


@dataclass(frozen=True)
class FilesSubject:
    """Own copies of the mutable files; everything else of the project is seen through links."""

    spec: SubjectSpec
    store: Store
    laid_out: dict[Path, Mapping[str, str]] = field(default_factory=dict, compare=False)

    def base(self) -> Snapshot:
        """The mutable files as they stand in the project now."""
        found = dict(self.mutable_now())
        if not found:
            raise FlagstoneError(
                f"no file in {self.spec.root} matches {', '.join(self.spec.mutable)}",
                hint="name the files that may change: subject.mutable in experiment.yaml",
            )
        self.store.make()
        tree = self.store.put_tree({path: self.stored(blob) for path, blob in found.items()})
        return Snapshot(tree, self.store.put_commit(tree, "", "base", 0))

    def notices(self, base: Snapshot) -> tuple[str, ...]:
        """Of files that are taken as they stand there is nothing to be said."""
        return ()

    def mutable_now(self) -> Iterator[tuple[str, tuple[str, bytes]]]:
        """Mode and content of each mutable file of the project. A link within it stays one, and brings its target."""
        root = self.spec.root
        for path in self.matching(root):
            place = root / path
            target = os.path.relpath(os.path.realpath(place), os.path.realpath(root))
            if place.is_symlink() and not target.startswith(".."):
                yield path, (LINK, os.fsencode(os.path.relpath(target, os.path.dirname(path) or ".")))
                yield target, file_content(root / target)
            else:
                yield path, file_content(place)

    def matching(self, root: Path) -> Iterator[str]:
        for place, folders, names in os.walk(root):
            above = os.path.relpath(place, root)
            folders[:] = [name for name in folders if name not in (".git", ".flagstone", ".venv", "__pycache__")]
            for name in names:
                path = name if above == "." else f"{above}/{name}"
                if matches(path, self.spec.mutable) and os.path.isfile(os.path.join(place, name)):
                    yield path

    def stored(self, content: tuple[str, bytes]) -> Blob:
        return Blob(content[0], self.store.put(b"blob", content[1]))

    def overlay(self, files: Mapping[str, Blob]) -> Overlay:
        return Overlay(self.spec.root, self.of_project | files.keys(), self.scratch, self.outputs)

    @cached_property
    def scratch(self) -> frozenset[str]:
        """The folders that runs write to, looked for once."""
        root, asked = self.spec.root, (name.strip("/") for name in self.spec.scratch)
        return frozenset(name for name in asked if not (root / name).is_file()) or default_scratch(root)

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The files that runs write: an earlier run by hand may have left the project some of these."""
        return (*self.spec.outputs, *(name for name in self.spec.scratch if (self.spec.root / name).is_file()))

    @cached_property
    def of_project(self) -> frozenset[str]:
        """What may change of the project's own files, looked for once: the project stays as it is."""
        return frozenset(self.matching(self.spec.root))

    def place(self, run: RunFolder, slot: int) -> Path:
        return run.tree

    def draft(self, run: RunFolder) -> Path:
        return run.draft

    def release(self, run: RunFolder) -> None:
        """A draft of a few files stays where it is."""

    def lay_out(self, tree: str, folder: Path) -> None:
        """Exactly this tree, in an empty folder."""
        files = dict(self.store.tree(tree))
        overlay = self.overlay(files)
        try:
            emptied(folder)
            overlay.lay_out(folder, self.remembered(folder, dict(overlay.links())))
            for path, blob in files.items():
                place(folder / path, blob, self.store.content(blob.sha))
        except OSError as error:
            raise cannot_write(folder, error) from error

    def remembered(self, folder: Path, links: Mapping[str, str]) -> Mapping[str, str]:
        """What was linked in the folders laid out last: those of drafts are taken soon, those of runs never are."""
        self.laid_out[folder] = links
        while len(self.laid_out) > REMEMBERED:
            del self.laid_out[next(iter(self.laid_out))]
        return links

    def take(self, folder: Path, parent: Snapshot, note: str, number: int) -> Snapshot:
        """What stands in the folder now. What is no plain file where one belongs is a violation."""
        before = dict(self.store.tree(parent.tree))
        overlay = self.overlay(before)
        found = dict(walked(folder))
        # as it was laid out: the project may have changed since, which is no deed of whoever edits here
        links = self.laid_out.pop(folder, None) or dict(overlay.links())
        violations = [*stray(folder, links, found)]
        files: dict[str, Blob] = {}
        for path, status in found.items():
            is_new = path not in before
            if path in links or (is_new and overlay.is_scratch(path) and not self.is_source(path, overlay)):
                continue
            fault = fault_of(path, status, before.get(path))
            if path not in before and not matches(path, self.spec.mutable):
                violations.append(f"{path} was created outside what may change")
            elif fault:
                violations.append(f"{path} {fault}")
            else:
                files[path] = self.stored(content_of(folder / path, status))
        files.update({path: before[path] for path in before if path in found and path not in files})
        tree = self.store.put_tree(files)
        changed = sorted(path for path in {*files, *before} if files.get(path) != before.get(path))
        commit = self.store.put_commit(tree, parent.commit, note, number)
        return Snapshot(tree, commit, tuple(violations), tuple(changed))

    def is_source(self, path: str, overlay: Overlay) -> bool:
        """Whether a new file is one that may change, and only by its name also one that runs write."""
        return overlay.is_output(path) and matches(path, self.spec.mutable)

    def links(self, tree: str) -> Mapping[str, str]:
        return dict(self.overlay(dict(self.store.tree(tree))).links())

    def paths(self, tree: str) -> Iterable[str]:
        return dict(self.store.tree(tree))

    def is_written(self, path: str) -> bool:
        return self.overlay({}).is_scratch(path)

    def mutable_in(self, folder: Path) -> Iterable[str]:
        return self.matching(folder)

    def diff(self, before: str, after: str) -> str:
        return self.store.diff(before, after)

    def restore(self, tree: str, folder: Path) -> None:
        """The working folder back to a tree. A file that is right already is not touched."""
        files = dict(self.store.tree(tree))
        overlay = self.overlay(files)
        try:
            if not folder.is_dir():
                self.lay_out(tree, folder)
                return
            links = dict(overlay.links())
            for path, status in list(walked(folder)):
                is_right = stat.S_ISLNK(status.st_mode) and os.readlink(folder / path) == links.get(path)
                if path not in files and not is_right and not overlay.is_scratch(path):
                    (folder / path).unlink()
            for path, target in links.items():
                if not os.path.islink(folder / path):
                    emptied(folder / path)
                    (folder / path).rmdir()
                    os.symlink(target, folder / path)
            for path, blob in files.items():
                place(folder / path, blob, self.store.content(blob.sha))
        except OSError as error:
            raise cannot_write(folder, error) from error

    def files(self, tree: str) -> Mapping[str, bytes]:
        return {path: self.store.content(blob.sha) for path, blob in self.store.tree(tree)}


def file_content(path: Path) -> tuple[str, bytes]:
    status = path.stat()
    if status.st_size > LARGEST:
        raise FlagstoneError(f"{path} is too large to be edited", hint="name source files in subject.mutable")
    return mode_of(status), path.read_bytes()


def content_of(path: Path, status: os.stat_result) -> tuple[str, bytes]:
    if stat.S_ISLNK(status.st_mode):
        return LINK, os.fsencode(os.readlink(path))
    return mode_of(status), path.read_bytes()


def mode_of(status: os.stat_result) -> str:
    return PROGRAM if status.st_mode & 0o100 else FILE


def fault_of(path: str, status: os.stat_result, was: Blob | None) -> str:
    """Why a file cannot be part of a candidate; nothing where it can."""
    if stat.S_ISLNK(status.st_mode):
        return "" if was and was.mode == LINK else "was replaced by a link"
    if not stat.S_ISREG(status.st_mode):
        return "is no plain file"
    if was and was.mode == LINK:
        return "was a link and is a file"
    if status.st_nlink > 1:
        return "has a second name elsewhere (a hard link)"
    if status.st_size > LARGEST:
        return "is too large"
    return "has another mode" if was and was.mode != mode_of(status) else ""


def place(path: Path, blob: Blob, content: bytes) -> None:
    """Puts one file in its place, unless it stands there already. A link is never written through."""
    try:
        status = os.lstat(path)
    except OSError:
        status = None
    if status and blob.mode == LINK and stat.S_ISLNK(status.st_mode) and os.fsencode(os.readlink(path)) == content:
        return
    if status and (blob.mode == LINK or not stat.S_ISREG(status.st_mode) or status.st_nlink > 1):
        emptied(path)
        path.rmdir()
        status = None
    path.parent.mkdir(parents=True, exist_ok=True)
    if blob.mode == LINK:
        os.symlink(os.fsdecode(content), path)
        return
    mode = 0o755 if blob.mode == PROGRAM else 0o644
    if status and mode_of(status) == blob.mode and status.st_size == len(content) and path.read_bytes() == content:
        return
    # an editor may have the file open: it is written in its place where that is possible
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
        if status is None or mode_of(status) != blob.mode:
            os.fchmod(stream.fileno(), mode)
