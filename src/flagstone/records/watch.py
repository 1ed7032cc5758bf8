"""Tells that nothing was written below some folders since one looked at them, so that one need not look again."""

from __future__ import annotations

import os
import struct
import weakref
from contextlib import suppress
from functools import cache
from typing import Any

CONTENT = 0x2 | 0x4 | 0x8  # IN_MODIFY, IN_ATTRIB, IN_CLOSE_WRITE
# and IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_DELETE_SELF
TOUCHES = CONTENT | 0x40 | 0x80 | 0x100 | 0x200 | 0x400
EVENT = struct.Struct("iIII")  # watch, mask, cookie, and how long the name is that follows
REAL_FOLDERS = 0x01000000 | 0x02000000  # IN_ONLYDIR, IN_DONT_FOLLOW


class FolderWatch:
    """Whether anything was written in some folders, as inotify reports it. What it cannot report counts as written.

    It reports no write through a hard link in another folder, and none on another machine. So look again anyway where
    hostile code may have run that nothing holds.
    """

    def __init__(self) -> None:
        self.handle = kernel().inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC) if has_inotify() else -1
        self.may_be_touched = self.handle < 0
        self.folders = dict[int, str]()
        self.written = set[str]()
        if not self.may_be_touched:
            weakref.finalize(self, os.close, self.handle)

    def begin_again(self) -> None:
        """Forgets what was told. Call it before you look once more: the end of a watch takes the kernel 10 ms."""
        if self.handle >= 0:
            with suppress(BlockingIOError):
                while os.read(self.handle, 65_536):
                    pass
            self.may_be_touched = False
            self.written.clear()

    def add(self, folder: str, name: str = "") -> None:
        """Watches this folder, and not those in it, under a name. Call it before you look at what is in the folder."""
        if not self.may_be_touched:
            found = kernel().inotify_add_watch(self.handle, os.fsencode(folder), TOUCHES | REAL_FOLDERS)
            self.may_be_touched = found < 0
            self.folders[found] = name

    def is_touched(self) -> bool:
        """Whether anything may have been written there. It stays true until `begin_again`."""
        self.hear()
        return self.may_be_touched or bool(self.written)

    def folders_written(self) -> set[str] | None:
        """The names of the folders in which content was written since the last call, and since `begin_again`.

        Returns None if more than that may have been done: a name that came or went may have been a hard link.
        """
        self.hear()
        found, self.written = self.written, set()
        return None if self.may_be_touched else found

    def hear(self) -> None:
        """Takes note of what the kernel tells by now."""
        with suppress(BlockingIOError):
            while not self.may_be_touched:
                told, at = os.read(self.handle, 65_536), 0
                while at < len(told):
                    watch, mask, _, length = EVENT.unpack_from(told, at)
                    at += EVENT.size + length
                    # without a name it is about the folder itself, or too much happened to be told
                    if mask & ~CONTENT or not length or watch not in self.folders:
                        self.may_be_touched = True
                    else:
                        self.written.add(self.folders[watch])


@cache
def kernel() -> Any:
    import ctypes  # here, not above: most commands watch nothing

    return ctypes.CDLL(None)


def has_inotify() -> bool:
    return hasattr(kernel(), "inotify_init1")
