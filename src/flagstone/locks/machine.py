"""A folder of locks that all users of one machine share, and wait for in order of arrival."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from flagstone.errors import FlagstoneError, Interrupted
from flagstone.locks.files import flock

# one for all users of a machine, so never below a TMPDIR of one's own
MACHINE_FOLDER = "/tmp/flagstone-locks"
LOOK_EVERY_S = 0.1
ALL_MAY_ENTER, ALL_MAY_LOCK = 0o1777, 0o666
TICKET, QUEUE = "ticket-", "queue"
Found = TypeVar("Found")


@dataclass(frozen=True)
class Waiting:
    """How to wait: what to say once, when to give up, or not at all."""

    on_wait: Callable[[str], object] | None = None
    stop: Callable[[], bool] | None = None
    is_patient: bool = True

    def until(self, attempt: Callable[[], Found | None], what: Callable[[], str]) -> Found:
        """Returns the first answer that is not None."""
        was_told = False
        while (found := attempt()) is None:
            if not self.is_patient:
                raise FlagstoneError(what(), hint="try again when it is free, or wait for it")
            if self.stop is not None and self.stop():
                raise Interrupted(f"stopped {what()}", hint="run the same command again to continue")
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

    def take(self, name: str, *, is_shared: bool = False) -> bool:
        """Takes a lock if it is free; what is ours already stays ours."""
        if name in self.held:
            return True
        lock = self.lock_file(name)
        # a file that was cleared away meanwhile keeps nobody out
        if flock(lock, self.path / name, is_shared=is_shared) and self.is_in_place(name, lock):
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
                return self.open(name)
            self.make(name)

    def open(self, name: str) -> int:
        # never with O_CREAT: the kernel then refuses the files of others in a folder that all may write to
        flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            lock = os.open(name, flags, dir_fd=self.handle)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise unusable_error(self.path / name, error.strerror or str(error)) from error
        if not stat.S_ISREG(os.fstat(lock).st_mode):
            os.close(lock)
            raise unusable_error(self.path / name, "it is no plain file")
        return lock

    def make(self, name: str, *, is_locked: bool = False) -> None:
        """Makes a file that every user may lock. It appears complete, and locked if that is asked for."""
        draft = f".{os.getpid()}-{os.urandom(6).hex()}"
        lock = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=self.handle)
        try:
            os.fchmod(lock, ALL_MAY_LOCK)
            if is_locked:
                flock(lock, self.path / name)
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
        """Draws a ticket of the queue, and yields a function that says whether it is our turn."""
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
        """Whether the owner of a ticket has died. Such a ticket is removed."""
        try:
            lock = self.open(ticket)
        except FileNotFoundError:
            return True
        try:
            if not flock(lock, self.path / ticket, is_shared=True):
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


def machine_folder() -> Path:
    return Path(os.environ.get("FLAGSTONE_LOCKS") or MACHINE_FOLDER)


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
        raise unusable_error(path, error.strerror or str(error)) from error
    folder = LockFolder(path, handle)
    try:
        # whoever clears old files away leaves a locked folder alone
        flock(handle, path, is_shared=True)
        yield folder
    finally:
        for name in tuple(folder.held):
            folder.release(name)
        os.close(handle)


def unusable_error(path: Path, why: str) -> FlagstoneError:
    return FlagstoneError(
        f"cannot use {path}: {why}",
        hint="remove it: locks of this machine are kept there; or set FLAGSTONE_LOCKS to a folder for all who use it",
    )
