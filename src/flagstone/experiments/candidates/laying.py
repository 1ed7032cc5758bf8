"""Lays a tree out in a folder that anything may have been done to: no link is followed, nothing else stays."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path

from flagstone.experiments.candidates.objects import LINK, PROGRAM, Blob
from flagstone.experiments.candidates.overlay import LEFT_OUT, unlocked
from flagstone.experiments.candidates.trees import object_name
from flagstone.processes import run_quietly
from flagstone.records import cannot_write, read_record

# clocks of file systems step; what was written within a step after we looked could look the same
STEP_NS = 20_000_000
Key = tuple[int, int]
Contents = Callable[[Iterable[str]], Iterator[tuple[str, bytes]]]


@dataclass(frozen=True)
class Plan:
    """What is to stand in a folder: files of a tree, the folders they need, and links to what is not part of it."""

    files: Mapping[str, Blob]
    folders: Set[str]
    links: Mapping[str, str]


@dataclass(frozen=True)
class Seen:
    """The content that a file was seen with. One that was written just then has to be read again."""

    key: Key
    blob: Blob
    is_settled: bool


@dataclass
class Known:
    """What we last saw in a folder. It only spares reading: whatever was touched since is looked at again."""

    record: Path | None
    seen: dict[str, Seen] = field(default_factory=dict)
    unkept: int = 0

    @classmethod
    def load(cls, record: Path | None) -> Known:
        told = (read_record(record) if record else None) or {}
        try:
            rows = ((path, tuple(key), Blob(mode, sha), bool(old)) for path, (key, mode, sha, old) in told.items())
            seen = {path: Seen(key, blob, is_settled) for path, key, blob, is_settled in rows}
        except (TypeError, ValueError):
            seen = {}
        return cls(record, seen)

    def note(self, path: str, status: os.stat_result, blob: Blob, looked_at_ns: int) -> None:
        self.unkept += 1
        self.seen[path] = Seen(key_of(status), blob, status.st_ctime_ns + STEP_NS < looked_at_ns)

    def is_same(self, path: str, status: os.stat_result, blob: Blob) -> bool:
        """Whether a file is untouched since it was seen with this content."""
        seen = self.seen.get(path)
        if seen is None or not seen.is_settled or seen.key != (status.st_ino, status.st_ctime_ns):
            return False
        return seen.blob is blob or seen.blob == blob

    def has_key(self, path: str, status: os.stat_result) -> bool:
        seen = self.seen.get(path)
        return seen is not None and seen.key == key_of(status)

    def keep(self) -> None:
        """For the next process; not after each small change, since a stale record is harmless."""
        if not self.record or self.unkept <= len(self.seen) // 50:
            return
        rows = {path: (s.key, s.blob.mode, s.blob.sha, s.is_settled) for path, s in self.seen.items()}
        self.record.parent.mkdir(parents=True, exist_ok=True)
        self.record.write_text(json.dumps(rows, separators=(",", ":")), encoding="ascii")
        self.unkept = 0


def key_of(status: os.stat_result) -> Key:
    """Every change of a file, of its mode or of its names moves its ctime, which nobody can set."""
    return (status.st_ino, status.st_ctime_ns)


def walk(folder: Path, enters: Callable[[str], bool]) -> Iterator[tuple[str, os.stat_result | OSError]]:
    """Everything below a folder, a folder before what is in it; no link is followed. What cannot be read is told."""
    waiting = [""]
    while waiting:
        above = waiting.pop()
        place = f"{folder}/{above}" if above else str(folder)
        try:
            entries = opened(place)
        except OSError as error:
            yield above, error
            continue
        for entry in entries:
            path = f"{above}/{entry.name}" if above else entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # removed while we looked
            except OSError as error:
                yield path, error
                continue
            yield path, status
            if stat.S_ISDIR(status.st_mode) and enters(path):
                waiting.append(path)


def opened(place: str) -> list[os.DirEntry[str]]:
    """What is in a folder, which may have been closed to us."""
    try:
        with os.scandir(place) as found:
            return list(found)
    except PermissionError:
        os.chmod(place, 0o700)
        with os.scandir(place) as found:
            return list(found)


@dataclass(frozen=True)
class Layout:
    """A plan and the folder it is for. `aside` takes what stands there besides; `is_strict` writes anew what was
    touched, and not only what differs."""

    plan: Plan
    folder: Path
    known: Known
    contents: Contents
    aside: Path | None = None
    is_strict: bool = True

    def put(self) -> None:
        """Exactly the plan, whatever stood there."""
        try:
            real_folder(self.folder)
            standing = self.cleared()
            for name in sorted(self.plan.folders - standing):
                os.mkdir(self.folder / name)
                os.chmod(self.folder / name, 0o755)
            written = self.written(self.plan.files.keys() - standing)
            for path, target in self.plan.links.items():
                if path not in standing:
                    os.symlink(target, self.folder / path)
            self.remember(written)
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def cleared(self) -> set[str]:
        """Removes what is not as planned; what stands as it should."""
        standing = set()
        for path, status in walk(self.folder, self.plan.folders.__contains__):
            if isinstance(status, OSError):
                raise status
            if self.is_right(path, status):
                standing.add(path)
            else:
                self.clear(path, status)
        return standing

    def is_right(self, path: str, status: os.stat_result) -> bool:
        blob = self.plan.files.get(path)
        if blob is not None:
            return self.known.is_same(path, status, blob) or self.is_the_same_content(path, status, blob)
        if stat.S_ISDIR(status.st_mode):
            if path in self.plan.folders and status.st_mode & 0o777 != 0o755:
                os.chmod(self.folder / path, 0o755)
            return path in self.plan.folders
        return stat.S_ISLNK(status.st_mode) and os.readlink(self.folder / path) == self.plan.links.get(path)

    def is_the_same_content(self, path: str, status: os.stat_result, blob: Blob) -> bool:
        """For a file that may have been touched: whether it still is what it should be."""
        if self.is_strict and not self.known.has_key(path, status):
            return False
        mask = 0o7777 if self.is_strict else 0o7100
        is_link = stat.S_ISLNK(status.st_mode)
        is_kind = is_link if blob.mode == LINK else stat.S_ISREG(status.st_mode) and status.st_nlink == 1
        if not is_kind or not (is_link or status.st_mode & mask == mode_of(blob) & mask):
            return False
        looked_at_ns = time.time_ns()
        if sha_of(self.folder / path, status) != blob.sha:
            return False
        self.known.note(path, status, blob, looked_at_ns)
        return True

    def clear(self, path: str, status: os.stat_result) -> None:
        place = self.folder / path
        if self.aside is not None and path not in self.plan.files and is_worth_keeping(path):
            target = self.aside / path
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.rename(place, target)
            except OSError:  # another file system: what a run leaves behind is not worth a copy
                removed(place, status)
        else:
            removed(place, status)

    def written(self, paths: Iterable[str]) -> list[str]:
        """Writes files that are not there; their paths."""
        of_sha: dict[str, list[str]] = {}
        for path in paths:
            of_sha.setdefault(self.plan.files[path].sha, []).append(path)
        for sha, content in self.contents(of_sha):
            for path in of_sha[sha]:
                write(f"{self.folder}/{path}", self.plan.files[path], content)
        return [path for same in of_sha.values() for path in same]

    def remember(self, written: list[str]) -> None:
        """From here on nobody but who is given the folder writes in it."""
        now_ns = time.time_ns()
        for path in written:
            self.known.note(path, os.lstat(f"{self.folder}/{path}"), self.plan.files[path], now_ns)
        for path in self.known.seen.keys() - self.plan.files.keys():
            del self.known.seen[path]
        self.known.keep()


def real_folder(folder: Path) -> None:
    """A folder in this place that is no link."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        folder.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)


def is_worth_keeping(path: str) -> bool:
    name = path.rpartition("/")[2]
    return not (name in LEFT_OUT or name.endswith(".pyc"))


def removed(place: Path, status: os.stat_result) -> None:
    """Removes whatever it is."""
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(place)
        return
    try:
        shutil.rmtree(place, onerror=unlocked)
    except (OSError, RecursionError):
        # folders within folders without end: rm has no limit
        code, _, told = run_quietly(["rm", "-rf", "--", str(place)], place.parent, 600)
        if code:
            raise OSError(0, told.decode("utf-8", "replace").strip()) from None


def write(place: str, blob: Blob, content: bytes) -> None:
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
