"""Files that are whole or absent: written by rename, durable if they have to be."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError, WorkFailed
from flagstone.records.encoding import Kind, decode_or_none

MAKE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
IN_PLACE_BYTES = 256


def write_atomic(path: Path, content: bytes, *, mode: int = 0o644, durable: bool = True) -> None:
    """The whole new content or the whole old one. What can be made again at any time need not be `durable`."""
    # a random name, because two may write the same file at once
    temporary = f"{path.parent}{os.sep}.{path.name[:80]}.{os.urandom(8).hex()}"
    try:
        try:
            handle = open_new(temporary, os.O_EXCL, 0o600)
            try:
                write_all(handle, content)
                os.fchmod(handle, mode)
                if durable:
                    os.fsync(handle)
            finally:
                os.close(handle)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error


def write_if_changed(path: Path, content: bytes) -> bool:
    """Writes a file unless it has this content already. Returns whether it was written."""
    if content_of(path) == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, content)
    return True


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
        hint="free some space or make the folder writable, then run the same command again: nothing is lost",
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
    """The record in a file. Returns None if none can be read."""
    return read_as(path, dict[str, Any])


def read_as(path: Path, kind: type[Kind]) -> Kind | None:
    """The record of this kind in a file. Returns None if the file holds none."""
    content = content_of(path)
    return None if content is None else decode_or_none(content, kind)


def content_of(path: Path) -> bytes | None:
    """The content of a file. Returns None if it cannot be read."""
    try:
        return read_bytes(path)
    except OSError:
        return None


def keep(path: Path, content: bytes) -> None:
    """Writes a file unless it already has this content."""
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


def write_in_place(path: Path, value: object) -> None:
    """A small record that is written often: with one call, over the one before, which takes no new file."""
    content = json.dumps(value).encode().ljust(IN_PLACE_BYTES)
    try:
        handle = open_new(os.fspath(path), 0, 0o644)
        try:
            os.pwrite(handle, content, 0)
        finally:
            os.close(handle)
    except OSError as error:
        raise cannot_write(path, error) from error


def make(path: Path, content: bytes) -> None:
    """A file that was not there. A kill may leave it half written: the caller has to know of that."""
    try:
        put(os.fspath(path), content, os.O_EXCL)
    except OSError as error:
        raise cannot_write(path, error) from error


def put(path: str, content: bytes, flag: int) -> None:
    handle = open_new(path, flag, 0o644)
    try:
        write_all(handle, content)
    finally:
        os.close(handle)


def open_new(path: str, flag: int, mode: int) -> int:
    """A file to write to. Its folder is made if it is missing."""
    try:
        return os.open(path, MAKE | flag, mode)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, MAKE | flag, mode)


def write_all(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]
