"""What a folder held when we last looked, so that only what was touched since is read again."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from flagstone.experiments.candidates.folders import entries_of, open_folder
from flagstone.experiments.candidates.git import Blob, object_name
from flagstone.records import FolderWatch, read_record

# clocks of file systems step; what was written within a step after we looked could look the same
STEP_NS = 20_000_000
UNSAVED = 20
REST = 50  # saving may take a fiftieth of the time of the runs
MOST_REMEMBERED = 200_000
# every change of a file, of its mode or of its names moves its ctime, which nobody can set
Key = tuple[int, int]
NO_KEY = (0, 0)
FileStatus = os.stat_result | OSError | None  # None: it is gone


@dataclass(frozen=True)
class FolderLook:
    """The paths that a look at a folder found to be touched. It holds until something is written."""

    inode: int
    paths: tuple[str, ...]


@dataclass
class LastSeen:
    """The content that each file of a folder was seen with, and its key by folder and name.

    A file that was written just before it was seen is read again: its key is in `unsettled`.
    """

    record: Path | None
    keys: dict[str, dict[str, Key]] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    unsettled: dict[str, Key] = field(default_factory=dict)
    look: FolderLook | None = None
    watch: FolderWatch | None = None
    unsaved: int = 0
    is_saved: bool = False
    due_at: float = 0.0

    @classmethod
    def load(cls, record: Path | None) -> LastSeen:
        found = cls(record)
        try:
            for path, (key, mode, sha, is_settled) in ((read_record(record) if record else None) or {}).items():
                inode, changed_ns = key
                found.put(path, (inode, changed_ns), Blob(mode, sha), is_settled=is_settled)
        except (TypeError, ValueError):
            return cls(record)
        found.is_saved = bool(found.blobs)
        return found

    def put(self, path: str, key: Key, blob: Blob, *, is_settled: bool) -> None:
        above, _, name = path.rpartition("/")
        self.blobs[path] = blob
        self.keys.setdefault(above, {})[name] = key if is_settled else NO_KEY
        if is_settled:
            self.unsettled.pop(path, None)
        else:
            self.unsettled[path] = key

    def note(self, path: str, status: os.stat_result, blob: Blob, looked_at_ns: int) -> None:
        self.unsaved += 1
        is_settled = status.st_ctime_ns + STEP_NS < looked_at_ns
        self.put(path, (status.st_ino, status.st_ctime_ns), blob, is_settled=is_settled)

    def key(self, path: str) -> Key:
        above, _, name = path.rpartition("/")
        return self.unsettled.get(path) or self.keys.get(above, {}).get(name, NO_KEY)

    def has_key(self, path: str, status: os.stat_result) -> bool:
        return self.key(path) == (status.st_ino, status.st_ctime_ns)

    def has_same_content(self, folder: Path, path: Path) -> bool:
        """Whether a file holds what it was seen with, also if it was written again or only touched."""
        name, status = os.path.relpath(path, folder), os.lstat(path)
        if name not in self.blobs or self.has_key(name, status):
            return name in self.blobs
        return sha_of(path, status) == self.blobs[name].sha

    def forget_all_but(self, paths: Mapping[str, object]) -> None:
        for path in self.blobs.keys() - paths.keys():
            above, _, name = path.rpartition("/")
            del self.blobs[path], self.keys[above][name]
            self.unsettled.pop(path, None)

    def share(self, files: Mapping[str, Blob]) -> None:
        """Holds the objects of these equal files: the next layout has most of them too, and compares fast."""
        self.blobs = dict(files)

    def drop_record(self) -> None:
        """Before the folder changes: a kill must leave no record of what it held earlier."""
        if self.record and self.is_saved:
            self.record.unlink(missing_ok=True)
            self.is_saved = False

    def forget_folder(self) -> None:
        """After the folder was moved away: what is laid out there next is new."""
        self.drop_record()
        self.forget_all_but({})

    def save(self) -> None:
        """Keeps this for the next process. After small changes an old record stays, unless it was dropped."""
        if not self.record or self.unsaved <= (max(UNSAVED, len(self.blobs) // 50) if self.is_saved else 0):
            return
        rows = {path: (self.key(path), *blob, path not in self.unsettled) for path, blob in self.blobs.items()}
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.record.write_text(json.dumps(rows, separators=(",", ":")), encoding="ascii")
        self.unsaved, self.is_saved = 0, True

    def save_if_cheap(self) -> None:
        """The same, unless the last time took so long that it would hold up the runs."""
        if (began := time.monotonic()) >= self.due_at:
            self.save()
            self.due_at = time.monotonic() + REST * (time.monotonic() - began)

    def differences(
        self, folder: Path, wanted: Mapping[str, Blob], enters: Callable[[str], bool], *, is_watched: bool = True
    ) -> Iterator[tuple[str, FileStatus]]:
        """All that is not known to be as wanted; every folder too, before what is in it."""
        found, known = set[str](), self.blobs
        for path, status in self.touched_in(folder, enters, is_watched=is_watched):
            found.add(path)
            yield path, status
        if known == wanted:
            return
        # few of thousands differ, and nearly all of the rest are the same object
        differ = [path for path, blob in wanted.items() if (was := known.get(path)) is not blob and was != blob]
        for path in [path for path in differ if path not in found]:
            yield path, status_of(folder, path) if path in known else None
        for path in self.blobs.keys() - wanted.keys() - found:
            yield path, status_of(folder, path)

    def touched_in(
        self, folder: Path, enters: Callable[[str], bool], *, is_watched: bool = True
    ) -> Iterator[tuple[str, FileStatus]]:
        """All that was touched, added or removed since it was seen; every folder too, before what is in it.

        If it `is_watched`, the next call looks only where something was written by then.
        """
        paths, look = list[str](), self.look
        is_same = look is not None and inode_of(folder) == look.inode
        written = self.watch.folders_written() if is_same and self.watch else None
        found: Iterable[tuple[str, FileStatus]]
        if look and written is not None:
            rest = (path for path in look.paths if path.rpartition("/")[0] not in written)
            some = (self.scan(folder, lambda _: False, None, above) for above in written)
            found = chain(self.look_again(folder, rest), *some)
        else:
            found = self.scan(folder, enters, self.watch_anew() if is_watched else None)
        self.look, is_whole = None, is_watched
        for path, status in found:
            is_whole = is_whole and len(paths) < MOST_REMEMBERED and not isinstance(status, OSError)
            if is_whole:
                paths.append(path)
            yield path, status
        if is_whole:
            self.look = FolderLook(inode_of(folder), tuple(paths))

    def forget_own_writes(self, written: Iterable[str]) -> None:
        """After a layout in a folder that is watched: only what others write from now on counts as written."""
        if self.look and self.watch:
            self.watch.begin_again()
            self.look = FolderLook(self.look.inode, tuple(dict.fromkeys((*self.look.paths, *written))))

    def watch_anew(self) -> FolderWatch:
        if self.watch is None:
            self.watch = FolderWatch()
        self.watch.begin_again()
        return self.watch

    def look_again(self, folder: Path, paths: Iterable[str]) -> Iterator[tuple[str, FileStatus]]:
        """Those of some paths that are not known by now."""
        for path in paths:
            status = status_of(folder, path)
            is_known = isinstance(status, os.stat_result) and self.has_key(path, status)
            if not is_known or path in self.unsettled:
                yield path, status

    def scan(
        self, folder: Path, enters: Callable[[str], bool], watch: FolderWatch | None, top: str | None = None
    ) -> Iterator[tuple[str, FileStatus]]:
        """The inner loop of every run, over thousands of files: written for speed. With `top`, only what is in it."""
        waiting, known_folders = [top or ""], self.keys.keys() - {""} if top is None else set()
        while waiting:
            above = waiting.pop()
            before, keys = f"{above}/" if above else "", self.keys.get(above, {})
            known_folders.discard(above)
            if watch:
                watch.add(f"{folder}/{above}", above)
            try:
                handle = open_folder(f"{folder}/{above}")
            except OSError as error:
                yield above, error
                continue
            unchanged = 0
            try:
                entries = entries_of(handle)
                for entry in entries:
                    try:
                        status = entry.stat(follow_symlinks=False)  # by the handle, which is faster than by the path
                    except FileNotFoundError:
                        continue  # removed while we looked
                    except OSError as error:
                        yield before + entry.name, error
                        continue
                    if keys.get(entry.name) == (status.st_ino, status.st_ctime_ns):
                        unchanged += 1
                        continue
                    yield before + entry.name, status
                    if stat.S_ISDIR(status.st_mode) and enters(before + entry.name):
                        waiting.append(before + entry.name)
            finally:
                os.close(handle)
            if unchanged < len(keys):
                yield from ((before + name, None) for name in keys.keys() - {entry.name for entry in entries})
        for above in known_folders:
            yield from [(f"{above}/{name}", None) for name in self.keys[above]]


def inode_of(folder: Path) -> int:
    status = status_of(folder, "")
    return status.st_ino if isinstance(status, os.stat_result) else 0


def status_of(folder: Path, path: str) -> FileStatus:
    try:
        return os.lstat(f"{folder}/{path}" if path else folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return error


def now_ns() -> int:
    return time.time_ns()


def sha_of(place: Path, status: os.stat_result) -> str:
    """The name that git gives to what a file or a link holds now."""
    if stat.S_ISLNK(status.st_mode):
        return object_name(b"blob", os.fsencode(os.readlink(place)))
    handle = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        now = os.fstat(handle)
        if not stat.S_ISREG(now.st_mode):
            return ""
        found = hashlib.sha1(b"blob %d\0" % now.st_size, usedforsecurity=False)
        while part := stream.read(1 << 20):
            found.update(part)
    return found.hexdigest()
