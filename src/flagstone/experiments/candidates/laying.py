"""Lays a tree out in a folder that anything may have been done to: no link is followed, nothing else stays."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flagstone.experiments.candidates.folders import is_left_out, make_real_folder, remove
from flagstone.experiments.candidates.git import LINK, PROGRAM, Blob
from flagstone.experiments.candidates.last_seen import LastSeen, now_ns, sha_of
from flagstone.records import cannot_write

OUTSIDE = "link"  # the mode of a link to the project; its target is in the place of an object
Contents = Callable[[Iterable[str]], Iterator[tuple[str, bytes]]]


@dataclass(frozen=True)
class Layout:
    """What is to stand in a folder: files of a tree, the folders they need, and links to what is not part of it."""

    files: Mapping[str, Blob]
    folders: Set[str]
    links: Mapping[str, str]

    @cached_property
    def entries(self) -> Mapping[str, Blob]:
        """Files and links, by their paths."""
        return {**self.files, **{path: Blob(OUTSIDE, target) for path, target in self.links.items()}}


@dataclass(frozen=True)
class Laying:
    """One layout and the folder it is for. `aside` takes what else is there; `is_strict` rewrites what was
    touched, and not only what differs. `touched` names the files that somebody has written to since we looked.

    If what runs there `is_trusted`, the next call looks again only where the kernel reports a write."""

    layout: Layout
    folder: Path
    last_seen: LastSeen
    contents: Contents
    aside: Path | None = None
    is_strict: bool = True
    is_trusted: bool = False
    touched: list[str] = field(default_factory=list)

    def put(self) -> None:
        """Exactly the layout, whatever stood there."""
        try:
            make_real_folder(self.folder)
            missing, standing = list[str](), set[str]()
            self.clear(missing, standing)
            folders = sorted(self.layout.folders - standing)
            if self.is_strict and (missing or folders):
                self.last_seen.drop_record()
            for name in folders:
                os.mkdir(self.folder / name)
                os.chmod(self.folder / name, 0o755)
            self.write(missing)
            self.remember(missing)
            if folders:
                self.last_seen.look = None  # the kernel does not tell of new folders
            self.last_seen.forget_own_writes(missing)
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def clear(self, missing: list[str], standing: set[str]) -> None:
        """Removes what is not as it should be. Fills in what is `missing` then, and which folders are `standing`."""
        entries, folders = self.layout.entries, self.layout.folders
        for path, status in self.last_seen.differences(
            self.folder, entries, folders.__contains__, is_watched=self.is_trusted
        ):
            if isinstance(status, OSError):
                raise status
            if status is None:
                self.note_gone(path)
            elif self.is_right(path, status):
                if path in folders:
                    standing.add(path)
                continue
            else:
                self.take_away(path, status)
            if path in entries:
                missing.append(path)

    def note_gone(self, path: str) -> None:
        if path in self.last_seen.blobs and path in self.layout.files:
            self.touched.append(path)

    def is_right(self, path: str, status: os.stat_result) -> bool:
        blob = self.layout.entries.get(path)
        if blob is not None:
            return self.has_content(path, status, blob)
        is_folder = stat.S_ISDIR(status.st_mode) and path in self.layout.folders
        if is_folder and status.st_mode & 0o777 != 0o755:
            os.chmod(self.folder / path, 0o755)
        return is_folder

    def has_content(self, path: str, status: os.stat_result, blob: Blob) -> bool:
        """Whether a file that may have been touched still has the content and the mode that it should have."""
        is_link, looked_at_ns = stat.S_ISLNK(status.st_mode), now_ns()
        if blob.mode == OUTSIDE:
            is_same = is_link and os.readlink(self.folder / path) == blob.sha
        elif self.is_strict and not self.last_seen.has_key(path, status):
            return False
        elif is_link or blob.mode == LINK:
            is_same = is_link and blob.mode == LINK and sha_of(self.folder / path, status) == blob.sha
        else:
            mask = 0o7777 if self.is_strict else 0o7100
            is_plain = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
            is_same = is_plain and status.st_mode & mask == mode_of(blob) & mask
            is_same = is_same and sha_of(self.folder / path, status) == blob.sha
        if is_same:
            self.last_seen.note(path, status, blob, looked_at_ns)
        return is_same

    def take_away(self, path: str, status: os.stat_result) -> None:
        place = self.folder / path
        if self.is_strict:
            self.last_seen.drop_record()
        if path in self.layout.files:
            if path in self.last_seen.blobs and not self.last_seen.has_key(path, status) and self.differs(path, status):
                self.touched.append(path)
        elif self.aside is not None and not is_left_out(path):
            target = self.aside / path
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.rename(place, target)
                return
            except OSError:
                pass  # another file system: what a run leaves behind is not worth a copy
        remove(place, status)

    def differs(self, path: str, status: os.stat_result) -> bool:
        """Whether a file holds something else than when we looked: a copied experiment has the same in new files."""
        try:
            return sha_of(self.folder / path, status) != self.last_seen.blobs[path].sha
        except OSError:
            return True

    def write(self, paths: Iterable[str]) -> None:
        """Writes files and links that are not there."""
        of_sha: dict[str, list[str]] = {}
        for path in paths:
            blob = self.layout.entries[path]
            if blob.mode == OUTSIDE:
                os.symlink(blob.sha, f"{self.folder}/{path}")
            else:
                of_sha.setdefault(blob.sha, []).append(path)
        for sha, content in self.contents(of_sha):
            for path in of_sha[sha]:
                write_file(f"{self.folder}/{path}", self.layout.files[path], content)

    def remember(self, written: Iterable[str]) -> None:
        """From here on nobody but who is given the folder writes in it."""
        written_at_ns, entries = now_ns(), self.layout.entries
        for path in written:
            self.last_seen.note(path, os.lstat(f"{self.folder}/{path}"), entries[path], written_at_ns)
        if len(self.last_seen.blobs) > len(entries):
            self.last_seen.forget_all_but(entries)
        self.last_seen.share(entries)
        self.last_seen.save_if_cheap()


def write_file(place: str, blob: Blob, content: bytes) -> None:
    """A file that is not there yet."""
    if blob.mode == LINK:
        os.symlink(content, os.fsencode(place))
        return
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fchmod(handle, mode_of(blob))
    finally:
        os.close(handle)


def mode_of(blob: Blob) -> int:
    return 0o755 if blob.mode == PROGRAM else 0o644
