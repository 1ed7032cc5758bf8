"""Who sees what comes into a folder, although it is hidden from whatever starts now."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from flagstone.processes.tree import environment_of


def viewers_of(folder: Path, owners: Path) -> list[int]:
    """The processes in a view of their own that see this folder: it was not there to be hidden when they began.

    Only those that were started for something below the folder `owners`.
    """
    real, mark = os.path.realpath(folder), f":{owners}/".encode()
    own, known = os.readlink("/proc/self/ns/mnt"), os.stat(real)
    found = []
    for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
        with suppress(OSError):  # it has ended, it belongs to somebody else, or there is nothing at that path
            is_confined = mark in environment_of(pid) and os.readlink(f"/proc/{pid}/ns/mnt") != own
            if is_confined and os.path.samestat(os.stat(f"/proc/{pid}/root{real}"), known):
                found.append(pid)
    return found
