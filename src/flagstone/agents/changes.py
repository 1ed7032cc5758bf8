"""Which files of its grant an agent changed, by what the file system says of each before and after."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from flagstone.agents.protocol import AgentCall, Mode
from flagstone.records import FolderWatch, marks_in

FILES_LIMIT = 20_000
NAMED = 500


def stats_of_grant(call: AgentCall) -> dict[str, list[int]]:
    """Every file and link of the grant."""
    places = [] if call.mode is Mode.JUDGE else [os.path.abspath(path) for path in call.writable]
    return stats_of(files_below(places))


@dataclass
class WatchedFiles:
    """Every file and link of some places, but what has one of some names, or one of some paths; up to a limit.

    Does not look again while the kernel tells that nothing was written there.
    """

    places: Collection[str]
    passed_over: Collection[str]
    left_out: Collection[str]
    found: Mapping[str, list[int]] = field(default_factory=dict)
    watch: FolderWatch = field(default_factory=FolderWatch)
    lock: Lock = field(default_factory=Lock)

    def stats(self) -> Mapping[str, list[int]]:
        with self.lock:
            if not self.found or self.watch.is_touched():
                self.watch.begin_again()
                paths = files_below(self.places, self.passed_over, self.left_out, self.watch)
                self.found = stats_of(paths)
            return self.found


def stats_of(paths: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for path in paths:
        if len(found) == FILES_LIMIT:
            break
        try:
            found[path] = marks_in(os.lstat(path))
        except OSError:
            continue
    return found


def files_below(
    places: Iterable[str],
    passed_over: Collection[str] = (),
    left_out: Collection[str] = (),
    watch: FolderWatch | None = None,
) -> Iterator[str]:
    granted = list(places)
    folders = [path for path in granted if os.path.isdir(path)]
    yield from (path for path in granted if path not in folders)
    while folders:
        folder = folders.pop()
        if watch:
            watch.add(folder)
        try:
            with os.scandir(folder) as found:
                entries = [each for each in found if each.name not in passed_over and each.path not in left_out]
        except OSError:
            continue
        folders += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        yield from (entry.path for entry in entries if not entry.is_dir(follow_symlinks=False))


def differences(before: Mapping[str, list[int]], after: Mapping[str, list[int]], root: Path) -> tuple[str, ...]:
    """What is new, changed or gone, relative to the root if it is below it; of very many the first and their number."""
    if before is after:  # nothing was written, so nobody looked again
        return ()
    differ = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    above = os.path.abspath(root)
    named = [os.path.relpath(path, above) if path.startswith(f"{above}/") else path for path in differ[:NAMED]]
    more = [f"and {len(differ) - NAMED} more"] if len(differ) > NAMED else []
    is_cut = max(len(before), len(after)) == FILES_LIMIT
    return (*named, *more, *([f"only {FILES_LIMIT} files were looked at"] if is_cut and differ else []))
