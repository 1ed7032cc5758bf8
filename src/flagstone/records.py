"""Atomic, durable, digested records on disk; append-only ledgers whose lines are chained."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError, WorkFailed

ZERO = "0" * 64


def utc(seconds: float) -> str:
    """A moment as UTC ISO 8601 with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def canonical(value: object) -> bytes:
    """One spelling for one value, so that equal records have equal digests."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str).encode()


def digest_bytes(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def digest_value(value: object) -> str:
    return digest_bytes(canonical(value))


def digest_file(path: str | os.PathLike[str]) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_atomic(path: Path, content: bytes, *, mode: int = 0o644, durable: bool = True) -> None:
    """The whole new content or the whole old one. What can be made anew at any time need not be `durable`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:80]}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fchmod(stream.fileno(), mode)
                if durable:
                    os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error


def sync_folder(folder: Path) -> None:
    """Makes a rename in this folder survive a power loss."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_record(path: Path, value: object, *, durable: bool = True) -> None:
    try:
        content = json.dumps(value, indent=1, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:  # a name that is no UTF-8: escaped, it is read back as it was
        content = json.dumps(value, indent=1, default=str).encode()
    write_atomic(path, content + b"\n", durable=durable)


def cannot_write(path: Path, error: OSError) -> FlagstoneError:
    return WorkFailed(
        f"cannot write {path}: {error.strerror or error}",
        hint="free some space or make the folder writable, then give the same command again: nothing was lost",
    )


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """A whole file, with the fewest calls: gates read many small ones."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(handle).st_size
        content = os.read(handle, size + 1)
        while more := os.read(handle, 1 << 20) if len(content) != size else b"":
            content += more
        return content
    finally:
        os.close(handle)


def read_record(path: Path) -> dict[str, Any] | None:
    """The record, or None where there is none that can be read."""
    try:
        value = json.loads(read_bytes(path))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


@dataclass(frozen=True)
class Ledger:
    """An append-only file of JSON lines, each carrying the digest of the line before it."""

    path: Path

    def append(self, entry: Mapping[str, object]) -> None:
        """Durable when this returns. The caller holds whatever lock keeps writers apart."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "a+b") as stream:
                before, torn = last_line(stream)
                line = canonical({**entry, "before": digest_bytes(before) if before else ZERO})
                stream.write((b"\n" if torn else b"") + line + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def entries(self) -> list[dict[str, Any]]:
        """Every line that can be read, in order; what cannot is passed over (see `problems`)."""
        return [entry for _, entry, _ in self.lines() if entry is not None]

    def problems(self) -> list[str]:
        """What is wrong with the ledger, in plain sentences: unreadable lines and broken chains."""
        found, before = [], ZERO
        for number, entry, raw in self.lines():
            if entry is None:
                found.append(f"{self.path.name} line {number} cannot be read and was passed over")
            elif entry.get("before") != before:
                found.append(f"{self.path.name} line {number} does not follow from the line before it")
            before = digest_bytes(raw)
        return found

    def lines(self) -> Iterator[tuple[int, dict[str, Any] | None, bytes]]:
        try:
            content = self.path.read_bytes()
        except OSError:
            return
        for number, raw in enumerate(content.split(b"\n"), 1):
            if raw:
                yield number, parsed_object(raw), raw


def parsed_object(raw: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def last_line(stream: Any, end: int | None = None) -> tuple[bytes, bool]:
    """The last line of an open file, or of its first `end` bytes; and whether a kill left it without its end."""
    tail = b""
    position = stream.seek(0, os.SEEK_END) if end is None else end
    while position > 0 and b"\n" not in tail[:-1]:
        step = min(65_536, position)
        position -= step
        stream.seek(position)
        tail = stream.read(step) + tail
    stream.seek(0, os.SEEK_END)
    lines = tail.split(b"\n")
    torn = bool(lines[-1])
    return (lines[-1] if torn else (lines[-2] if len(lines) > 1 else b"")), torn


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
    def changed(self) -> bool:
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
        known = self.remembered(key, mark) or (self.load() and self.remembered(key, mark))
        if known:
            return known
        content = digest_file(path)
        self.known[key] = self.own[key] = [*mark, content]
        return content

    def remembered(self, key: str, mark: list[int]) -> str:
        """The digest of the file as it was when it had exactly these marks; '' where that is not known."""
        hit = self.known.get(key)
        return str(hit[4]) if isinstance(hit, list) and hit[:4] == mark and len(hit) == 5 else ""

    def save(self) -> None:
        """Best effort: losing the cache costs time, never truth."""
        if self.path and self.changed:
            self.load()
            try:
                write_atomic(self.path, canonical(self.known), durable=False)
                self.own = {}
            except FlagstoneError:
                return


def mark_of(path: str | os.PathLike[str]) -> list[int]:
    """What changes when a file does; empty where there is none. ctime tells of an edit whose mtime was set back."""
    try:
        return marks_in(os.stat(path))
    except OSError:
        return []


def marks_in(stat: os.stat_result) -> list[int]:
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


MAKE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


def content_of(path: Path) -> bytes | None:
    """None where there is no such file, or it cannot be read."""
    try:
        return read_bytes(path)
    except OSError:
        return None


def keep(path: Path, content: bytes) -> None:
    """Writes a file unless exactly that stands there."""
    if content_of(path) != content:
        replace(path, content)


def replace(path: Path, content: bytes) -> None:
    """The whole new content or the whole old one."""
    temporary = f"{os.fspath(path)}.new"
    try:
        put(temporary, content, os.O_TRUNC)
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from error


def make(path: Path, content: bytes) -> None:
    """A file that was not there. A kill may leave it half written: the caller has to know of that."""
    try:
        put(os.fspath(path), content, os.O_EXCL)
    except OSError as error:
        raise cannot_write(path, error) from error


def put(path: str, content: bytes, flag: int) -> None:
    try:
        handle = os.open(path, MAKE | flag, 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle = os.open(path, MAKE | flag, 0o644)
    try:
        if os.write(handle, content) != len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(handle)
