"""Content digests of files, remembered while a file does not change."""

from __future__ import annotations

import os
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.records.encoding import canonical, digest_file
from flagstone.records.files import read_record, write_atomic


class DigestCache:
    """Content digests of files, remembered by inode, size and times, so that 20 GB are read once."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.top = f"{path.parents[2]}{os.sep}" if path else ""  # keys are relative to it: a run may be moved
        self.known: dict[str, list[object]] = {}
        self.own: dict[str, list[object]] = {}  # what this process has read itself, and not yet saved
        self.file_mark: list[int] = []
        self.load()

    @property
    def has_new(self) -> bool:
        """Whether there is anything to save."""
        return bool(self.own)

    def load(self) -> bool:
        """Takes in what other processes have saved since; whether there was anything."""
        mark = mark_of(self.path) if self.path else []
        if not self.path or mark == self.file_mark:
            return False
        self.file_mark = mark
        self.known = {**(read_record(self.path) or {}), **self.own}
        return True

    def digest(self, path: str | os.PathLike[str], status: os.stat_result | None = None) -> str:
        """The digest of a file; `status` is what the caller has just found out about it, if anything."""
        mark = marks_in(status) if status else mark_of(path)
        if not mark:
            raise FileNotFoundError(path)
        key = os.fspath(path).removeprefix(self.top)
        known = self.known_digest(key, mark) or (self.load() and self.known_digest(key, mark))
        if known:
            return known
        content = digest_file(path)
        self.known[key] = self.own[key] = [*mark, content]
        return content

    def known_digest(self, key: str, mark: list[int]) -> str:
        """The digest of the file as it was when it had exactly these marks. Returns '' if that is unknown."""
        hit = self.known.get(key)
        return str(hit[4]) if isinstance(hit, list) and hit[:4] == mark and len(hit) == 5 else ""

    def save(self) -> None:
        """Best effort: losing the cache costs time, never truth."""
        if self.path and self.has_new:
            self.load()
            try:
                write_atomic(self.path, canonical(self.known), durable=False)
                self.own = {}
            except FlagstoneError:
                return


def mark_of(path: str | os.PathLike[str]) -> list[int]:
    """The marks of a file. Empty if there is no file."""
    try:
        return marks_in(os.stat(path))
    except OSError:
        return []


def marks_in(stat: os.stat_result) -> list[int]:
    """What changes when a file does. No program can set its ctime back."""
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
