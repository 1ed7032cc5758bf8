"""Secrets of the agent that it wrote into its draft. What holds one is removed before anything is stored of it."""

from __future__ import annotations

import mmap
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from flagstone.experiments.candidates import walk
from flagstone.processes import Redactor
from flagstone.text import one_line

Stamps = Mapping[str, tuple[int, ...]]


def stamps_in(draft: Path) -> dict[str, tuple[int, ...]]:
    """What tells whether a file was written: the kernel keeps it, and no agent can set it."""
    found = walk(draft, lambda _: True)
    return {path: stamp_of(status) for path, status in found if not isinstance(status, OSError)}


def stamp_of(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ctime_ns, status.st_ino, status.st_size


def remove_leaks(draft: Path, stamps: Stamps, before: Mapping[str, bytes], redactor: Redactor) -> list[str]:
    """Removes what was written since then and holds a secret. Returns a line on each.

    A file that held the secret `before` keeps it: somebody else has written it there.
    """
    found = []
    for path, status in walk(draft, lambda _: True):
        if isinstance(status, OSError) or stamps.get(path) == stamp_of(status):
            continue
        known = redactor.names_in(before.get(path, b""))
        names = [name for name in secrets_at(draft / path, path, status, redactor) if name not in known]
        if names:
            remove(draft / path, status)
            where = redactor.clean(os.fsencode(path)).decode("utf-8", "replace")
            found.append(f"{one_line(where)} held the secret value of {', '.join(names)}, and was removed")
    return found


def secrets_at(place: Path, path: str, status: os.stat_result, redactor: Redactor) -> list[str]:
    """The variables whose values are in a file, in its name, or in where a link leads."""
    found = redactor.names_in(os.fsencode(path.rpartition("/")[2]))
    try:
        if stat.S_ISLNK(status.st_mode):
            found += redactor.names_in(os.fsencode(os.readlink(place)))
        elif stat.S_ISREG(status.st_mode) and status.st_size:
            os.chmod(place, stat.S_IMODE(status.st_mode) | 0o400)
            with open(place, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                found += redactor.names_in(content)
    except OSError:
        return found  # it cannot be read, so no candidate can have it
    return list(dict.fromkeys(found))


def remove(place: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)
