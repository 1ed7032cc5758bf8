"""One caller a run at a time: a lock that says who holds it, and that dies with its holder."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.records import cannot_write


@dataclass
class Held:
    """A lock we hold. Closing it, or dying, frees it."""

    path: Path
    handle: int

    def release(self) -> None:
        if self.handle >= 0:
            os.ftruncate(self.handle, 0)
            os.close(self.handle)
            self.handle = -1


def holder_of(path: Path) -> dict[str, Any] | None:
    """Who holds a lock now; None when nobody does."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        record = read_holder(handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return record or {"pid": "?", "host": os.uname().nodename, "since": "?"}
        # free on this host: a record that is left is a dead holder's, unless it is another host's
        return record if record and record.get("host") != os.uname().nodename else None
    finally:
        os.close(handle)


def read_holder(handle: int) -> dict[str, Any] | None:
    try:
        value = json.loads(os.pread(handle, 4096, 0))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def hold(path: Path, what: str, since: str, *, wait: bool = False) -> Held:
    """Takes the lock, a dead holder's included; a living holder is named in the error."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        record = read_holder(handle) or {}
        os.close(handle)
        raise in_use(path, what, record) from None
    before = read_holder(handle)
    if before and before.get("host") not in (None, os.uname().nodename):
        os.close(handle)
        raise in_use(path, what, before)
    record = {"pid": os.getpid(), "host": os.uname().nodename, "since": since}
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(record).encode(), 0)
    except OSError as error:
        os.close(handle)
        raise cannot_write(path, error) from error
    return Held(path, handle)


def in_use(path: Path, what: str, record: dict[str, Any]) -> FlagstoneError:
    pid, host = record.get("pid", "?"), record.get("host", "?")
    problem = f"{what} is in use by process {pid} on {host} since {record.get('since', '?')}"
    if host == os.uname().nodename:
        return FlagstoneError(problem, hint=f"wait until it ends, or stop it: kill {pid}")
    return FlagstoneError(problem, hint=f"if that process is dead, free the run with: rm {path}")


@contextmanager
def held(path: Path, what: str, since: str, *, wait: bool = False) -> Iterator[None]:
    lock = hold(path, what, since, wait=wait)
    try:
        yield
    finally:
        lock.release()
