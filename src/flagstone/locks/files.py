"""The lock of one file, with the name of its holder in it."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone.errors import FlagstoneError
from flagstone.records import cannot_write, utc

TRIES, LOOK_S = 4, 0.002  # whoever looks at a lock (`holder_of`) keeps others out of it for an instant


def flock(handle: int, path: Path, *, wait: bool = False, is_shared: bool = False) -> bool:
    """Locks an open file; returns False if somebody else holds it and we do not wait."""
    how = fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX
    try:
        fcntl.flock(handle, how if wait else how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise FlagstoneError(
            f"cannot lock {path}: {error.strerror or error}",
            hint="its file system does not support locks: move it to another disk, or mount this one with `flock`",
        ) from error
    return True


@dataclass
class FileLock:
    """A lock we hold. Leaving its block, or dying, frees it."""

    handle: int

    def release(self) -> None:
        if self.handle >= 0:
            os.ftruncate(self.handle, 0)
            os.close(self.handle)
            self.handle = -1

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        self.release()


def hold(path: Path, what: str, *, wait: bool = False) -> FileLock:
    """Takes the lock, a dead holder's included; the error names a living holder."""
    handle, own_host = open_lock(path, 0o644), os.uname().nodename
    try:
        tries = TRIES
        while not (is_free := flock(handle, path, wait=wait)) and (tries := tries - 1):
            time.sleep(LOOK_S)
        holder = read_holder(handle) or {}
        if not is_free or holder.get("host") not in (None, own_host):
            raise in_use(path, what, holder)
        record = {"pid": os.getpid(), "host": own_host, "since": utc(time.time())}
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(record).encode(), 0)
    except OSError as error:
        os.close(handle)
        raise cannot_write(path, error) from error
    except FlagstoneError:
        os.close(handle)
        raise
    return FileLock(handle)


def holder_of(path: Path) -> dict[str, Any] | None:
    """Who holds a lock now; None if nobody does."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    own_host = os.uname().nodename
    try:
        record = read_holder(handle)
        with suppress(FlagstoneError):  # a run can be looked at on a disk where it could not be built
            if not flock(handle, path, is_shared=True):
                return record or {"pid": "?", "host": own_host, "since": "?"}
        # nobody on this host holds it: a record that is left is a dead holder's, unless it is another host's
        return record if record and record.get("host") != own_host else None
    finally:
        os.close(handle)


@contextmanager
def sole_use(*paths: Path, wait: bool = True) -> Iterator[bool]:
    """Keeps everybody else out of files or folders. False, if we do not wait and somebody else is there."""
    handles: list[int] = []
    try:
        handles.extend(open_lock(path, 0o600) for path in paths)
        yield all(flock(handle, path, wait=wait) for handle, path in zip(handles, paths, strict=True))
    finally:
        for handle in handles:
            os.close(handle)


def open_lock(path: Path, mode: int) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        with suppress(FileNotFoundError):
            return os.open(path, flags, mode)
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, mode)
    except IsADirectoryError:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise cannot_write(path, error) from error


def read_holder(handle: int) -> dict[str, Any] | None:
    try:
        value = json.loads(os.pread(handle, 4096, 0))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def in_use(path: Path, what: str, holder: dict[str, Any]) -> FlagstoneError:
    pid, host = holder.get("pid", "?"), holder.get("host", "?")
    problem = f"{what} is in use by process {pid} on {host} since {holder.get('since', '?')}"
    if host == os.uname().nodename:
        return FlagstoneError(problem, hint=f"wait until it ends, or stop it: kill {pid}")
    return FlagstoneError(problem, hint=f"if that process is dead, free the run with: rm {path}")
