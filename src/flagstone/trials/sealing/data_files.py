"""The data that a result belongs to: each file that the plan's globs name, by its digest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG

from flagstone.errors import FlagstoneError
from flagstone.globs import files_named
from flagstone.records import DigestCache


def data_facts(root: Path, globs: Iterable[str], cache: DigestCache) -> dict[str, str]:
    """The digest and size of each file; a glob is relative to the project, or names a place elsewhere.

    FlagstoneError if a glob names no file: a result would then hold for any data.
    """
    found: dict[str, str] = {}
    for pattern in globs:
        rows = dict(facts_of_glob(root, pattern, cache))
        if not rows:
            raise FlagstoneError(
                f"data: {pattern} names no file in {root}", hint="correct `data` in the plan, or put the files there"
            )
        found |= rows
    cache.save()
    return found


def facts_of_glob(root: Path, pattern: str, cache: DigestCache) -> Iterator[tuple[str, str]]:
    for path in files_named(root, pattern):
        try:
            status = os.stat(path)
        except OSError as error:
            raise FlagstoneError(
                f"data: {path} cannot be read: {error.strerror}", hint="mend or remove it, or correct `data`"
            ) from error
        if S_ISREG(status.st_mode):
            name = os.path.relpath(path, root) if Path(path).is_relative_to(root) else path
            yield name, f"{cache.digest(path, status)} ({status.st_size} bytes)"
