"""Atomic, durable, digested records on disk; append-only ledgers whose lines are chained."""

from __future__ import annotations

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


def digest_file(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_atomic(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """The whole new content or the whole old one, whatever happens in between."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name[:80]}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
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


def write_record(path: Path, value: object) -> None:
    write_atomic(path, json.dumps(value, indent=1, ensure_ascii=False, default=str).encode() + b"\n")


def cannot_write(path: Path, error: OSError) -> FlagstoneError:
    return WorkFailed(
        f"cannot write {path}: {error.strerror or error}",
        hint="free some space or make the folder writable, then give the same command again: nothing was lost",
    )


def read_record(path: Path) -> dict[str, Any] | None:
    """The record, or None where there is none that can be read."""
    try:
        value = json.loads(path.read_bytes())
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


def last_line(stream: Any) -> tuple[bytes, bool]:
    """The last line of an open file, and whether a kill left it without its end."""
    size = stream.seek(0, os.SEEK_END)
    tail = b""
    position = size
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
        self.known: dict[str, list[object]] = (read_record(path) or {}) if path else {}
        self.changed = False

    def digest(self, path: Path) -> str:
        stat = os.stat(path)
        # ctime as well: setting the mtime back after an edit must not hide the edit
        mark = [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]
        key = os.path.abspath(path)
        hit = self.known.get(key)
        if hit and hit[:4] == mark:
            return str(hit[4])
        content = digest_file(path)
        self.known[key] = [*mark, content]
        self.changed = True
        return content

    def save(self) -> None:
        """Best effort: losing the cache costs time, never truth."""
        if self.path and self.changed:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                write_record(self.path, self.known)
                self.changed = False
            except (OSError, FlagstoneError):
                return
