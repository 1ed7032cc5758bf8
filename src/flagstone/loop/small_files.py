"""Many small files of one writer, which can all be made anew: written with the fewest calls."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from flagstone.records import cannot_write, read_bytes

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
