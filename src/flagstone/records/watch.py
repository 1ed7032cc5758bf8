"""Tells that nothing was written below some folders since one looked at them, so that one need not look again."""

from __future__ import annotations

import os
import weakref
from contextlib import suppress
from functools import cache
from typing import Any

# IN_MODIFY, IN_ATTRIB, IN_CLOSE_WRITE, IN_MOVED_FROM, IN_MOVED_TO, IN_CREATE, IN_DELETE, IN_DELETE_SELF
TOUCHES = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400
REAL_FOLDERS = 0x01000000 | 0x02000000  # IN_ONLYDIR, IN_DONT_FOLLOW


class FolderWatch:
    """Whether anything was written in some folders, as inotify reports it. What it cannot report counts as written.

    It reports no write through a hard link in another folder, and none on another machine. So look again anyway where
    hostile code may have run.
    """

    def __init__(self) -> None:
        self.handle = kernel().inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC) if has_inotify() else -1
        self.may_be_touched = self.handle < 0
        if not self.may_be_touched:
            weakref.finalize(self, os.close, self.handle)

    def begin_again(self) -> None:
        """Forgets what was told. Call it before you look once more: the end of a watch takes the kernel 10 ms."""
        if self.handle >= 0:
            with suppress(BlockingIOError):
                while os.read(self.handle, 65_536):
                    pass
            self.may_be_touched = False

    def add(self, folder: str) -> None:
        """Watches this folder, and not those in it. Call it before you look at what is in the folder."""
        if not self.may_be_touched:
            found = kernel().inotify_add_watch(self.handle, os.fsencode(folder), TOUCHES | REAL_FOLDERS)
            self.may_be_touched = found < 0

    def is_touched(self) -> bool:
        """Whether anything may have been written there. It stays true until `begin_again`."""
        if not self.may_be_touched:
            with suppress(BlockingIOError):
                self.may_be_touched = bool(os.read(self.handle, 4096))
        return self.may_be_touched


@cache
def kernel() -> Any:
    import ctypes  # here, not above: most commands watch nothing

    return ctypes.CDLL(None)


def has_inotify() -> bool:
    return hasattr(kernel(), "inotify_init1")
