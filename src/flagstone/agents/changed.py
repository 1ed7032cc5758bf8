"""Which files of its grant an agent has changed: told from what the file system says of each, before and after."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from flagstone.agents.protocol import AgentCall, Mode

FILES_LIMIT = 20_000
NAMED = 500


class Mark(NamedTuple):
    """A file as it was. The last is the kernel's own: no program can set it back."""

    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


def marks(call: AgentCall) -> dict[str, Mark]:
    """Every file and link of the grant, named from the root of the work where it lies below it."""
    found: dict[str, Mark] = {}
    for path in files(call):
        if len(found) == FILES_LIMIT:
            break
        try:
            status = os.lstat(path)
        except OSError:
            continue
        found[path] = Mark(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return found


def files(call: AgentCall) -> Iterator[str]:
    granted = [] if call.mode is Mode.JUDGE else [os.path.abspath(path) for path in call.writable]
    folders = [path for path in granted if os.path.isdir(path)]
    yield from (path for path in granted if path not in folders)
    while folders:
        try:
            with os.scandir(folders.pop()) as found:
                entries = list(found)
        except OSError:
            continue
        folders += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        yield from (entry.path for entry in entries if not entry.is_dir(follow_symlinks=False))


def changed(call: AgentCall, before: Mapping[str, Mark], after: Mapping[str, Mark]) -> tuple[str, ...]:
    """Names of what is new, other or gone; of very many the first, and how many more there are."""
    differ = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    root = os.path.abspath(call.task.run_root)
    named = [os.path.relpath(path, root) if path.startswith(f"{root}/") else path for path in differ[:NAMED]]
    more = [f"and {len(differ) - NAMED} more"] if len(differ) > NAMED else []
    limit = max(len(before), len(after)) == FILES_LIMIT
    return (*named, *more, *([f"only {FILES_LIMIT} files were looked at"] if limit else []))
