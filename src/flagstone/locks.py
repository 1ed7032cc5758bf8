"""Locks that every user of one machine shares: they die with their process, and are waited for in order of arrival."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from flagstone.errors import FlagstoneError, Interrupted
from flagstone.records import cannot_write

LOOK_EVERY_S = 0.1
ALL_MAY_ENTER, ALL_MAY_LOCK = 0o1777, 0o666
TICKET, QUEUE = "ticket-", "queue"
Found = TypeVar("Found")


@dataclass(frozen=True)
class Waiting:
    """How somebody waits: whom to tell, once, what for; when to give up; or not to wait at all."""

    on_wait: Callable[[str], object] | None = None
    stop: Callable[[], bool] | None = None
    is_patient: bool = True

    def until(self, attempt: Callable[[], Found | None], what: Callable[[], str]) -> Found:
        """The first answer of an attempt that is one."""
        was_told = False
        while (found := attempt()) is None:
            if not self.is_patient:
                raise FlagstoneError(what(), hint="try again when it is free, or wait for it")
            if self.stop is not None and self.stop():
                raise Interrupted(f"stopped {what()}", hint="give the same command again to go on")
            if self.on_wait is not None and not was_told:
                self.on_wait(what())
                was_told = True
            time.sleep(LOOK_EVERY_S)
        return found


@dataclass
class LockFolder:
    """An open folder of locks and the locks in it that are ours. No child of ours inherits them."""

    path: Path
    handle: int
    held: dict[str, int] = field(default_factory=dict)

    def take(self, name: str, how: int = fcntl.LOCK_EX) -> bool:
        """Takes a lock if it is free; what is ours already stays ours."""
        if name in self.held:
            return True
        lock = self.lock_file(name)
        with suppress(BlockingIOError):
            fcntl.flock(lock, how | fcntl.LOCK_NB)
            # a file that was cleared away meanwhile keeps nobody out
            if self.is_in_place(name, lock):
                self.held[name] = lock
                return True
        os.close(lock)
        return False

    def release(self, name: str) -> None:
        lock = self.held.pop(name, None)
        if lock is not None:
            # a copy of the handle may live on in a forked child: closing ours would leave it locked
            fcntl.flock(lock, fcntl.LOCK_UN)
            os.close(lock)

    def lock_file(self, name: str) -> int:
        """The open file of a lock; what is no plain file, links above all, is refused."""
        while True:
            with suppress(FileNotFoundError):
                return self.opened(name)
            self.make(name)

    def opened(self, name: str) -> int:
        # never with O_CREAT: the kernel then refuses the files of others in a folder that all may write to
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            lock = os.open(name, flags, dir_fd=self.handle)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise unusable(self.path / name, error.strerror or str(error)) from error
        if not stat.S_ISREG(os.fstat(lock).st_mode):
            os.close(lock)
            raise unusable(self.path / name, "it is no plain file")
        return lock

    def make(self, name: str, *, is_locked: bool = False) -> None:
        """Makes a file that every user may lock; it is seen only when it is all that, and locked if it shall be."""
        draft = f".{os.getpid()}-{os.urandom(6).hex()}"
        lock = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=self.handle)
        try:
            os.fchmod(lock, ALL_MAY_LOCK)
            if is_locked:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self.held[name] = os.dup(lock)
            with suppress(FileExistsError):
                os.link(draft, name, src_dir_fd=self.handle, dst_dir_fd=self.handle)
        finally:
            os.unlink(draft, dir_fd=self.handle)
            os.close(lock)

    def is_in_place(self, name: str, lock: int) -> bool:
        try:
            there = os.stat(name, dir_fd=self.handle, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(lock))

    @contextmanager
    def turn(self) -> Iterator[Callable[[], bool]]:
        """A place in the queue; what is yielded says whether it is our turn."""
        ticket = f"{TICKET}{time.monotonic_ns():020d}-{os.getpid()}-{os.urandom(4).hex()}"
        self.make(ticket, is_locked=True)
        try:
            # tickets give the order; the lock makes sure of it: a ticket drawn earlier may show up later than ours
            yield lambda: QUEUE in self.held or (self.is_first(ticket) and self.take(QUEUE))
        finally:
            with suppress(FileNotFoundError):
                os.unlink(ticket, dir_fd=self.handle)
            self.release(ticket)
            self.release(QUEUE)

    def is_first(self, ticket: str) -> bool:
        before = sorted(name for name in os.listdir(self.handle) if name.startswith(TICKET) and name < ticket)
        return all(self.is_left_over(name) for name in before)

    def is_left_over(self, ticket: str) -> bool:
        """Whether a ticket's owner has died; then it is removed."""
        try:
            lock = self.opened(ticket)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(lock)
        with suppress(FileNotFoundError, PermissionError):
            os.unlink(ticket, dir_fd=self.handle)
        return True

    def holders(self) -> dict[str, int]:
        """The process that holds each lock, as far as the kernel tells."""
        by_file: dict[int, int] = {}
        with suppress(OSError):
            for words in map(str.split, Path("/proc/locks").read_text().splitlines()):
                if "->" not in words and words[1] == "FLOCK" and int(words[4]) > 0:
                    by_file[int(words[5].split(":")[2])] = int(words[4])
        with os.scandir(self.handle) as entries:
            return {entry.name: by_file[entry.inode()] for entry in entries if entry.inode() in by_file}


@contextmanager
def lock_folder(path: Path) -> Iterator[LockFolder]:
    """Opens the folder of locks, and lets go of every lock in the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.mkdir(ALL_MAY_ENTER)
        path.chmod(ALL_MAY_ENTER)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise unusable(path, error.strerror or str(error)) from error
    folder = LockFolder(path, handle)
    try:
        # whoever clears old files away leaves a locked folder alone
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield folder
    finally:
        for name in tuple(folder.held):
            folder.release(name)
        os.close(handle)


def unusable(path: Path, why: str) -> FlagstoneError:
    return FlagstoneError(
        f"cannot use {path}: {why}",
        hint="remove it: locks of this machine are kept there; or set FLAGSTONE_LOCKS to a folder for all who use it",
    )


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
