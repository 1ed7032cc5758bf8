"""A number that every descendant of a child carries, also one that left its family and cleared its environment.

It stands in the limit on file locks, which Linux hands on at every fork and exec, shows to everybody, and has not
enforced since 2.4.25. Being the reaper of our orphans would find them too, but not tell them from our own children.
"""

from __future__ import annotations

import binascii
import os
from contextlib import suppress

from flagstone.processes.table import content_of

FILE_LOCKS = 10  # RLIMIT_LOCKS, which Python has no name for
ROW = b"Max file locks"
RUN_BITS = 30
NOBODYS = 1 << 62
UNMARKED = -1


def fresh_stamp(owner: str) -> int:
    """The number of one run: the owner's, followed by one of its own."""
    number = int.from_bytes(os.urandom(8), "big")
    return stamps_of(owner).start + number % (1 << RUN_BITS) if owner else NOBODYS + number % NOBODYS


def stamps_of(owner: str) -> range:
    """The numbers of all runs of one owner, also of those in an earlier life."""
    first = binascii.crc32(owner.encode()) << RUN_BITS
    return range(first, first + (1 << RUN_BITS)) if owner else range(0)


def put_on(stamp: int) -> None:
    """Marks this process and all it will ever start. Where an administrator set a lower limit, nothing is marked."""
    import resource

    with suppress(OSError, ValueError):
        resource.setrlimit(FILE_LOCKS, (stamp, resource.getrlimit(FILE_LOCKS)[1]))


def stamp_of(pid: int) -> int:
    """What a process was marked with; -1 for nothing: a range is asked for numbers only, anything else it searches."""
    _, _, rest = content_of(f"/proc/{pid}/limits").partition(ROW)
    word = rest.split(None, 1)[:1]
    return int(word[0]) if word and word[0].isdigit() else UNMARKED
