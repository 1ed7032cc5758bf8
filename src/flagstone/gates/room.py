"""Whether a run's folder can be written to: asked before Snakemake finds out, which would answer with a traceback."""

from __future__ import annotations

import errno
import os

from flagstone.layout import Run
from flagstone.records import cannot_write

LEAST_BYTES = 500_000  # prompts, records and logs of one stage, with some air


def refuse_without_room(run: Run) -> None:
    """Raises an error a person can act on where the folder is read-only or its disk is full."""
    if not os.access(run.root, os.W_OK):
        is_read_only = os.statvfs(run.root).f_flag & os.ST_RDONLY
        raise cannot_write(run.root, problem(errno.EROFS if is_read_only else errno.EACCES))
    disk = os.statvfs(run.root)
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < LEAST_BYTES:
        raise cannot_write(run.root, problem(errno.ENOSPC))


def problem(number: int) -> OSError:
    return OSError(number, os.strerror(number))
