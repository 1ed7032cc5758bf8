"""Takes secrets out of whatever an agent left in its conversation's folder. It never fails, and its time is bounded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flagstone.processes import Redactor

SMALL = 4_000_000  # read as a whole; of larger ones a part at a time
PART = 1_000_000
READ_AT_MOST = 500_000_000  # of all that is not small: some ten seconds
ENTRIES_AT_MOST = 200_000
OWNERS = 0o700
UNFOLLOWED = os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass
class OpenFolder:
    """One folder on the way down: its identity, and the names in it that are still to be visited."""

    identity: tuple[int, int]
    names: list[str]


@dataclass
class Cleaning:
    """One walk through a folder. It follows no links, opens no pipes, and reads no holes of files."""

    redactor: Redactor
    left_bytes: int = READ_AT_MOST
    left_entries: int = ENTRIES_AT_MOST

    def clean(self, root: Path) -> None:
        """Cleans every file below a folder that can be reached."""
        with suppress(OSError):
            self.walk(os.open(root, os.O_RDONLY | os.O_DIRECTORY | UNFOLLOWED))

    def walk(self, folder: int) -> None:
        """By handles, with one open at a time: a path may be longer than any that can be opened."""
        levels = [self.open_folder(folder)]
        try:
            while levels:
                if levels[-1].names:
                    inner = self.visit(levels[-1].names.pop(), folder)
                    if inner is not None:
                        os.close(folder)
                        folder = inner
                        levels.append(self.open_folder(folder))
                    continue
                levels.pop()
                if levels:
                    folder = parent_of(folder, levels[-1].identity)
        finally:
            os.close(folder)

    def open_folder(self, folder: int) -> OpenFolder:
        names: list[str] = []
        with suppress(OSError):
            names = os.listdir(folder)[: self.left_entries]
        self.left_entries -= len(names)
        return OpenFolder(identity_of(os.fstat(folder)), names)

    def visit(self, name: str, folder: int) -> int | None:
        """Cleans a file; of a folder it returns the handle. A secret in a name is taken out of it."""
        with suppress(OSError):
            if self.redactor.names_in(os.fsencode(name)):
                clean = os.fsdecode(self.redactor.clean(os.fsencode(name)))
                os.rename(name, clean, src_dir_fd=folder, dst_dir_fd=folder)
                name = clean
            mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                make_open(name, folder, mode)
                return os.open(name, os.O_RDONLY | os.O_DIRECTORY | UNFOLLOWED, dir_fd=folder)
            if stat.S_ISREG(mode):
                make_open(name, folder, mode)
                self.clean_file(name, folder)
        return None

    def clean_file(self, name: str, folder: int) -> None:
        """Replaces a small file. If that is impossible, or the file is large, it overwrites the secrets."""
        handle = os.open(name, os.O_RDWR | os.O_NONBLOCK | UNFOLLOWED, dir_fd=folder)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                return
            if status.st_nlink != 1:
                self.drop_name(name, folder, handle)
                return
            if status.st_size > SMALL:
                self.write_over(handle, status.st_size)
                return
            content = os.pread(handle, SMALL, 0)
            clean = self.redactor.clean(content)
            if clean == content:
                return
            try:
                replace(name, folder, clean)
            except OSError:
                self.write_over(handle, status.st_size)
        finally:
            os.close(handle)

    def drop_name(self, name: str, folder: int, handle: int) -> None:
        """Removes one name of a file with several, if it holds a secret: with another it may be somebody else's."""
        if self.redactor.names_in(os.pread(handle, SMALL, 0)):
            os.unlink(name, dir_fd=folder)

    def write_over(self, handle: int, size: int) -> None:
        """Overwrites secrets with asterisks.

        It reads the file in overlapping parts, so that a secret across two parts is found too.
        """
        for start, end in stretches(handle, size):
            for begin in range(start, end, PART):
                if self.left_bytes <= 0:
                    return
                part = os.pread(handle, min(PART + self.redactor.longest, end - begin), begin)
                self.left_bytes -= len(part)
                for first, last in self.redactor.spans(part):
                    os.pwrite(handle, b"*" * (last - first), begin + first)


def stretches(handle: int, size: int) -> Iterator[tuple[int, int]]:
    """The parts of a file that are no holes."""
    end = 0
    while end < size:
        try:
            start = os.lseek(handle, end, os.SEEK_DATA)
            end = os.lseek(handle, start, os.SEEK_HOLE)
        except OSError:
            return
        yield start, end


def make_open(name: str, folder: int, mode: int) -> None:
    """Gives the owner the access that an agent took away, so that we can read it and a person can remove it."""
    wanted = mode | (OWNERS if stat.S_ISDIR(mode) else 0o600)
    if wanted != mode:
        handle = os.open(name, os.O_PATH | UNFOLLOWED, dir_fd=folder)
        try:
            os.chmod(f"/proc/self/fd/{handle}", stat.S_IMODE(wanted))
        finally:
            os.close(handle)


def parent_of(folder: int, expected: tuple[int, int]) -> int:
    """The folder above; OSError if somebody moved the one we are in."""
    above = os.open("..", os.O_RDONLY | os.O_DIRECTORY | UNFOLLOWED, dir_fd=folder)
    if identity_of(os.fstat(above)) != expected:
        os.close(above)
        raise FileNotFoundError("the folder was moved")
    os.close(folder)
    return above


def identity_of(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def replace(name: str, folder: int, content: bytes) -> None:
    """Replaces the content of a file at once: whoever reads it finds all of the new content or all of the old one."""
    temporary = f".clean-{os.getpid()}"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | UNFOLLOWED, 0o600, dir_fd=folder)
    try:
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(handle, view) :]
        finally:
            os.close(handle)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
