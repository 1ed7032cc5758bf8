"""Whether a call can write to a run: its folders, and the space on the disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator

from flagstone.errors import FlagstoneError
from flagstone.layout import Run
from flagstone.records import cannot_write

LEAST_BYTES = 500_000  # prompts, records and logs of one stage, with some air
FOLDERS = ("approved", "stages", "index", "logs", "drafts", "history", ".snakemake")
FOLDERS_OF_FOLDERS = ("drafts", "history", ".snakemake")


def disk_fault(run: Run, names: Iterable[str] = FOLDERS) -> FlagstoneError | None:
    """Why a call cannot write what it has to, as an error that a person can act on. Returns None if it can."""
    for folder in folders_to_write(run, names):
        if not os.access(folder, os.W_OK):
            is_read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
            return cannot_write(run.below(folder), problem(errno.EROFS if is_read_only else errno.EACCES))
    disk = os.statvfs(run.root)
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < LEAST_BYTES:
        return cannot_write(run.root, problem(errno.ENOSPC))
    return None


def folders_to_write(run: Run, names: Iterable[str]) -> Iterator[str]:
    """The run, these folders of it, and what they hold folders for, as far as they are there."""
    root = os.fspath(run.root)
    tops = [root, *filter(os.path.isdir, (f"{root}/{name}" for name in names))]
    yield from tops
    for name in FOLDERS_OF_FOLDERS:
        if f"{root}/{name}" in tops:
            yield from (entry.path for entry in os.scandir(f"{root}/{name}") if entry.is_dir())


def refuse_unwritable(run: Run, names: Iterable[str] = FOLDERS) -> None:
    """Raises the error of a call that cannot write what it has to."""
    fault = disk_fault(run, names)
    if fault:
        raise fault


def problem(number: int) -> OSError:
    return OSError(number, os.strerror(number))
