"""Secrets of the agent that it wrote into its draft. What holds one is removed before anything is stored of it."""

from __future__ import annotations

import mmap
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from flagstone.agents import Cleaning
from flagstone.experiments.candidates import FileStatus
from flagstone.processes import Redactor
from flagstone.text import one_line


def moment_in(folder: Path) -> int:
    """The present time by the clock that the files below a folder are stamped with."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryFile(dir=folder) as stream:
        return os.fstat(stream.fileno()).st_ctime_ns


def written_since(since_ns: int, touched: Iterable[tuple[str, FileStatus]]) -> Iterator[tuple[str, os.stat_result]]:
    """Of what was touched, what was written since a moment: no agent can set that stamp of a file."""
    for path, status in touched:
        if isinstance(status, os.stat_result) and status.st_ctime_ns > since_ns:
            yield path, status


def remove_leaks(
    draft: Path, written: Iterable[tuple[str, os.stat_result]], before: Mapping[str, bytes], redactor: Redactor
) -> list[str]:
    """Removes what was written and holds a secret. Returns a line on each.

    A file that held the secret `before` keeps it: somebody else has written it there.
    """
    found = []
    for path, status in written:
        place, known = draft / path, redactor.names_in(before.get(path, b""))
        names = [name for name in secrets_at(place, path, status, redactor) if name not in known]
        if names:
            remove(place, status)
            where = redactor.clean(os.fsencode(path)).decode("utf-8", "replace")
            found.append(f"{one_line(where)} held the secret value of {', '.join(names)}, and was removed")
    return found


def clean_leftovers(run: Path, draft: Path, redactor: Redactor) -> None:
    """Takes secrets out of what a call that was killed has left in the folder of a run."""
    for place in run.iterdir() if run.is_dir() else ():
        if place != draft and place.name.startswith(("conversation-", draft.name)):
            Cleaning(redactor).clean(place)


def secrets_at(place: Path, path: str, status: os.stat_result, redactor: Redactor) -> list[str]:
    """The variables whose values are in a file, in its name, or in where a link leads."""
    found = redactor.names_in(os.fsencode(path.rpartition("/")[2]))
    try:
        if stat.S_ISLNK(status.st_mode):
            found += redactor.names_in(os.fsencode(os.readlink(place)))
        elif stat.S_ISREG(status.st_mode) and status.st_size:
            if not status.st_mode & 0o400:
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
