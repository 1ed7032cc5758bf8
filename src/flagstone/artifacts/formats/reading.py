"""Open a file that may be anything: nothing outside the run, nothing that waits, nothing without bound."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PRODUCED_IN = ("workspace", "experiments", "trials", "paper", "bundle")
LINE_LIMIT = 1_000_000
DIGEST_LIMIT_BYTES = 64_000_000_000  # what is larger is refused: digesting it would take too long

REASONS = {
    errno.ENOENT: "a link that leads nowhere, or a file that is gone",
    errno.ELOOP: "a link that leads back to itself",
    errno.EACCES: "may not be read: its permissions forbid it",
    errno.EPERM: "may not be read: its permissions forbid it",
    errno.ENAMETOOLONG: "its name is too long",
}


class Unreadable(Exception):
    """Why a file cannot be used. The reason never quotes what is in it, or where a link leads."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OutsideRun(Unreadable):
    """The path leads out of the run."""


class OwnRecord(Unreadable):
    """The path is one of Flagstone's own records: it exists, and is nothing that a stage made."""


def reason_of(error: OSError) -> str:
    return REASONS.get(error.errno or 0, error.strerror or "cannot be read")


def is_inside(real: str, real_root: str) -> bool:
    return real == real_root or real.startswith(real_root.rstrip("/") + "/")


def real_path(path: str | Path, run_root: str | Path) -> str:
    """The path with all links followed; refused if it is not in the run."""
    root = os.path.realpath(run_root)
    try:
        real = os.path.realpath(path, strict=True)
    except OSError as error:
        raise Unreadable(reason_of(error)) from None
    if not is_inside(real, root):
        raise OutsideRun("a link that leaves the run")
    if real == root or real[len(root) :].split("/")[1] not in PRODUCED_IN:
        raise OwnRecord("one of Flagstone's own records, not something a stage made")
    return real


def regular_file(path: str | Path, run_root: str | Path) -> tuple[str, os.stat_result]:
    """The real path and status of a plain file in the run; anything else is refused unopened."""
    real = real_path(path, run_root)
    try:
        status = os.lstat(real)
    except OSError as error:
        raise Unreadable(reason_of(error)) from None
    if stat.S_ISDIR(status.st_mode):
        raise Unreadable("a folder, or a link to one (list its files instead)")
    if not stat.S_ISREG(status.st_mode):
        raise Unreadable("a pipe, a socket or a device, not a file")
    return real, status


def is_filled(path: str | Path, run_root: str | Path) -> bool:
    """Whether this is a plain file in the run with something in it."""
    try:
        return regular_file(path, run_root)[1].st_size > 0
    except Unreadable:
        return False


def open_regular(real: str) -> BinaryIO:
    """Opens without following a link and without waiting, should the file have been swapped meanwhile."""
    try:
        handle = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unreadable(reason_of(error)) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise Unreadable("not a plain file")
    return os.fdopen(handle, "rb")


def read_bounded(path: str | Path, run_root: str | Path, limit: int) -> bytes:
    """A whole small file of the run; a larger one is refused."""
    real, _ = regular_file(path, run_root)
    return read_plain(real, limit)


def read_plain(path: str | Path, limit: int) -> bytes:
    """A whole small file that is no link; links of the folders above it are the caller's to judge."""
    with open_regular(str(path)) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise Unreadable(f"larger than {size_words(limit)}")
    return content


def decode_text(content: bytes, start: int = 0) -> str:
    """UTF-8 text, with or without a byte order mark. `start` is where it begins in its file."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Unreadable("UTF-16, not UTF-8: save it as UTF-8")
    if b"\0" in content:
        raise Unreadable("contains NUL bytes: not text")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 (byte {start + error.start}): save it as UTF-8") from None


def text_lines(stream: BinaryIO, most: int) -> Iterator[str]:
    """The lines of about the first `most` bytes. A line without end is refused, and never read whole."""
    seen = 0
    while seen < most and (raw := stream.readline(LINE_LIMIT + 1)):
        if len(raw) > LINE_LIMIT:
            raise Unreadable(f"a line longer than {size_words(LINE_LIMIT)}")
        yield decode_text(raw, seen)
        seen += len(raw)


def size_words(size: int) -> str:
    for unit, name in ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size} bytes"
