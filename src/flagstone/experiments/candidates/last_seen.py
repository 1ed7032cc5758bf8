"""What a folder held when we last looked, so that only what was touched since is read again."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.experiments.candidates.folders import entries_of, open_folder
from flagstone.experiments.candidates.git import Blob, object_name
from flagstone.records import read_record

# clocks of file systems step; what was written within a step after we looked could look the same
STEP_NS = 20_000_000
UNSAVED = 20
REST = 50  # saving may take a fiftieth of the time of the runs
# every change of a file, of its mode or of its names moves its ctime, which nobody can set
Key = tuple[int, int]


@dataclass
class LastSeen:
    """The content that each file of a folder was seen with. A file that was written just then is read again."""

    record: Path | None
    keys: dict[str, Key] = field(default_factory=dict)
    blobs: dict[str, Blob] = field(default_factory=dict)
    unsettled: set[str] = field(default_factory=set)
    unsaved: int = 0
    is_saved: bool = False
    due_at: float = 0.0

    @classmethod
    def load(cls, record: Path | None) -> LastSeen:
        found = cls(record)
        try:
            for path, (key, mode, sha, is_settled) in ((read_record(record) if record else None) or {}).items():
                inode, changed_ns = key
                found.keys[path], found.blobs[path] = (inode, changed_ns), Blob(mode, sha)
                if not is_settled:
                    found.unsettled.add(path)
        except (TypeError, ValueError):
            return cls(record)
        found.is_saved = bool(found.keys)
        return found

    def note(self, path: str, status: os.stat_result, blob: Blob, looked_at_ns: int) -> None:
        self.unsaved += 1
        self.keys[path], self.blobs[path] = (status.st_ino, status.st_ctime_ns), blob
        if status.st_ctime_ns + STEP_NS < looked_at_ns:
            self.unsettled.discard(path)
        else:
            self.unsettled.add(path)

    def is_same(self, path: str, status: os.stat_result, blob: Blob) -> bool:
        """Whether a file has not been touched since it was seen with this content."""
        return path not in self.unsettled and self.has_key(path, status) and self.blobs[path] == blob

    def has_key(self, path: str, status: os.stat_result) -> bool:
        return self.keys.get(path) == (status.st_ino, status.st_ctime_ns)

    def has_same_content(self, folder: Path, path: Path) -> bool:
        """Whether a file holds what it was seen with, also if it was written again or only touched."""
        name, status = os.path.relpath(path, folder), os.lstat(path)
        if name not in self.keys or self.has_key(name, status):
            return name in self.keys
        return sha_of(path, status) == self.blobs[name].sha

    def forget_all_but(self, paths: Mapping[str, object]) -> None:
        for path in self.keys.keys() - paths.keys():
            del self.keys[path], self.blobs[path]
            self.unsettled.discard(path)

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
        if not self.record or self.unsaved <= (max(UNSAVED, len(self.keys) // 50) if self.is_saved else 0):
            return
        rows = {path: (key, *self.blobs[path], path not in self.unsettled) for path, key in self.keys.items()}
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.record.write_text(json.dumps(rows, separators=(",", ":")), encoding="ascii")
        self.unsaved, self.is_saved = 0, True

    def save_if_cheap(self) -> None:
        """The same, unless the last time took so long that it would hold up the runs."""
        if (began := time.monotonic()) >= self.due_at:
            self.save()
            self.due_at = time.monotonic() + REST * (time.monotonic() - began)

    def differences(
        self, folder: Path, wanted: Mapping[str, Blob], enters: Callable[[str], bool], same: set[str]
    ) -> Iterator[tuple[str, os.stat_result | OSError]]:
        """Walks a folder; yields what is not known to be as wanted. Adds the paths of the rest to `same`.

        It is the inner loop of every run (thousands of files, three times), so it is written for speed.
        """
        keys, blobs, unsettled, add = self.keys, self.blobs, self.unsettled, same.add
        waiting = [""]
        while waiting:
            above = waiting.pop()
            before = f"{above}/" if above else ""
            try:
                handle = open_folder(f"{folder}/{above}")
            except OSError as error:
                yield above, error
                continue
            try:
                for entry in entries_of(handle):
                    path = before + entry.name
                    try:
                        status = entry.stat(follow_symlinks=False)  # by the handle, which is faster than by the path
                    except FileNotFoundError:
                        continue  # removed while we looked
                    except OSError as error:
                        yield path, error
                        continue
                    is_known = keys.get(path) == (status.st_ino, status.st_ctime_ns) and path not in unsettled
                    if is_known and wanted.get(path) == blobs[path]:
                        add(path)
                        continue
                    yield path, status
                    if stat.S_ISDIR(status.st_mode) and enters(path):
                        waiting.append(path)
            finally:
                os.close(handle)


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
