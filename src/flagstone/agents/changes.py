"""Which files of its grant an agent changed, by what the file system says of each before and after."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from flagstone.agents.protocol import AgentCall, Mode
from flagstone.records import marks_in

FILES_LIMIT = 20_000
NAMED = 500


def stats_of_grant(call: AgentCall) -> dict[str, list[int]]:
    """Every file and link of the grant."""
    return stats_below([] if call.mode is Mode.JUDGE else [os.path.abspath(path) for path in call.writable])


def stats_below(
    places: Iterable[str], passed_over: Collection[str] = (), left_out: Collection[str] = ()
) -> dict[str, list[int]]:
    """Every file and link of these places, but what has one of some names, or one of some paths; up to a limit."""
    found: dict[str, list[int]] = {}
    for path in files_below(places, passed_over, left_out):
        if len(found) == FILES_LIMIT:
            break
        try:
            found[path] = marks_in(os.lstat(path))
        except OSError:
            continue
    return found


def files_below(places: Iterable[str], passed_over: Collection[str], left_out: Collection[str]) -> Iterator[str]:
    granted = list(places)
    folders = [path for path in granted if os.path.isdir(path)]
    yield from (path for path in granted if path not in folders)
    while folders:
        try:
            with os.scandir(folders.pop()) as found:
                entries = [each for each in found if each.name not in passed_over and each.path not in left_out]
        except OSError:
            continue
        folders += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        yield from (entry.path for entry in entries if not entry.is_dir(follow_symlinks=False))


def differences(before: Mapping[str, list[int]], after: Mapping[str, list[int]], root: Path) -> tuple[str, ...]:
    """What is new, changed or gone, relative to the root if it is below it; of very many the first and their number."""
    differ = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    above = os.path.abspath(root)
    named = [os.path.relpath(path, above) if path.startswith(f"{above}/") else path for path in differ[:NAMED]]
    more = [f"and {len(differ) - NAMED} more"] if len(differ) > NAMED else []
    is_cut = max(len(before), len(after)) == FILES_LIMIT
    return (*named, *more, *([f"only {FILES_LIMIT} files were looked at"] if is_cut and differ else []))
