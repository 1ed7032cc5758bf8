"""The last summary of a wandb run, online or offline: its summary file, or else its transaction log."""

from __future__ import annotations

import json
import os
import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from flagstone.metrics.series import Place, Reading
from flagstone.metrics.tables import numbers
from flagstone.metrics.wire import double_float, fields

BLOCK, HEAD, FILE_HEAD = 32_768, 7, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
LARGEST = 64_000_000
RECORDS_BEHIND = 1000  # of a log that are taken apart for everything they hold
# of wandb_internal.proto: Record.history and .summary, their items, and an item's key, nested key and value;
# newer writers may leave an item of the history as a number
HISTORY, SUMMARY, ITEM, REMOVED, KEY, NESTED, VALUE = 2, 3, 1, 2, 1, 2, 16
HISTORY_INTEGER, HISTORY_NUMBER, HISTORY_JSON = 5, 6, 8


def read(options: Mapping[str, object], place: Place, wanted: Sequence[str]) -> Reading:
    """What the newest own run has summed up."""
    folder = str(options.get("dir") or "wandb")
    runs = own_runs(place, folder)
    if not runs:
        return Reading({}, "wandb", (f"the run left no wandb run in {folder}/",))
    problems: list[str] = []
    for run in runs:
        found = summary_of(run, place)
        if not found:
            found, damage = logged_in(run, place, wanted)
            problems += damage
        values = {name: value for name, value in found.items() if name in wanted or not name.startswith("_")}
        if values:
            return Reading(values, "wandb", tuple(problems), (os.path.relpath(run, place.run_dir),))
        problems.append(f"{run.name} holds no summary that can be read")
    return Reading({}, "wandb", tuple(problems), tuple(os.path.relpath(run, place.run_dir) for run in runs))


def own_runs(place: Place, folder: str) -> list[Path]:
    """The run folders that something was written to while the run ran, the newest first."""
    if os.path.isabs(folder) or ".." in folder.split("/"):
        return []
    found = []
    for pattern in ("run-*", "offline-run-*", "latest-run"):
        for run in (place.run_dir / folder).glob(pattern):
            # latest-run is a link to a folder that is found anyway; a copy of it is a folder
            own = [path for path in (*run.glob("files/*"), *run.glob("*.wandb")) if place.is_own(path)]
            if own and not run.is_symlink():
                found.append((max(path.stat().st_mtime for path in own), run))
    return [run for _, run in sorted(found, reverse=True)]


def summary_of(run: Path, place: Place) -> dict[str, float]:
    """What the summary file says. Empty if there is none, or it is of another time."""
    path = run / "files" / "wandb-summary.json"
    with suppress(OSError, ValueError, RecursionError):
        if place.is_own(path) and path.stat().st_size < LARGEST:
            return dict(numbers(json.loads(path.read_text(encoding="utf-8"))))
    return {}


def logged_in(run: Path, place: Place, wanted: Sequence[str]) -> tuple[dict[str, float], list[str]]:
    """The last values in the transaction log, which may be all an offline run holds, and where it is damaged."""
    found: dict[str, float] = {}
    problems: list[str] = []
    for path in sorted(run.glob("*.wandb")):
        if place.is_own(path):
            with suppress(OSError):
                values, problem = last_values(path, wanted)
                found |= values
                problems += [f"{path.name}: {problem}"] if problem else []
    return found, problems


def last_values(path: Path, wanted: Sequence[str]) -> tuple[dict[str, float], str]:
    """What the end of a log sets, read from behind: at first everything, then only what is wanted and still missing."""
    size = path.stat().st_size
    start = max(0, size - LARGEST) // BLOCK * BLOCK
    with open(path, "rb") as stream:
        stream.seek(start)
        content = stream.read(LARGEST + BLOCK)
    whole: list[bytes] = []
    problem = f"only its last {LARGEST // 10**6} MB were read" if start else ""
    try:
        whole.extend(records(content, start))
    except ValueError as error:
        problem = str(error)
    found: dict[str, float] = {}
    gone: set[str] = set()
    missing = list(wanted)
    for number, record in enumerate(reversed(whole)):
        if not wanted or number < RECORDS_BEHIND or any(last_part(name) in record for name in missing):
            apply(record, found, gone)
            missing = [name for name in missing if name not in found]
    return found, problem


@lru_cache(maxsize=256)
def last_part(name: str) -> bytes:
    """The bytes that are in the log wherever a name is, nested or not."""
    return re.split(r"[./]", name)[-1].encode()


def records(content: bytes, start: int = 0) -> Iterator[bytes]:
    """Every whole record of a log in LevelDB's form, from the beginning of a block; ValueError at what is damaged."""
    position, parts, is_begun = 0 if start else FILE_HEAD, b"", False
    while position + HEAD <= len(content):
        left = BLOCK - position % BLOCK
        if left < HEAD:
            position += left
            continue
        check, length, kind = struct.unpack("<IHB", content[position : position + HEAD])
        part = content[position + HEAD : position + HEAD + length]
        if kind not in (FULL, FIRST, MIDDLE, LAST) or len(part) < length or zlib.crc32(bytes([kind]) + part) != check:
            raise ValueError(f"the file is damaged from byte {start + position} on")
        is_begun = is_begun or kind in (FULL, FIRST)
        parts = part if kind in (FULL, FIRST) else parts + part
        if kind in (FULL, LAST) and is_begun:
            yield parts
        position += HEAD + length


def apply(record: bytes, found: dict[str, float], gone: set[str]) -> None:
    """Takes what one record sets, unless a later one has set or removed it."""
    with suppress(ValueError):
        for number, wire, content in reversed(list(fields(record))):
            if number not in (HISTORY, SUMMARY) or wire != 2 or not isinstance(content, bytes):
                continue
            for inner, kind, item in reversed(list(fields(content))):
                if kind != 2 or not isinstance(item, bytes):
                    continue
                if inner == ITEM:
                    found |= {name: value for name, value in values_of(item) if is_new(name, found, gone)}
                elif number == SUMMARY and inner == REMOVED:
                    gone |= {joint.join(names_of(item)) for joint in "./"}


def is_new(name: str, found: Mapping[str, float], gone: set[str]) -> bool:
    """Whether nothing later has set a name, or removed it or what it is nested in."""
    below = any(name == each or name.startswith((f"{each}.", f"{each}/")) for each in gone)
    return name not in found and not below


def names_of(item: bytes) -> tuple[str, ...]:
    """The key of an item, or each part of a nested one."""
    named = [(number, value) for number, wire, value in fields(item) if wire == 2]
    return tuple(value.decode() for number, value in named if number in (KEY, NESTED) and isinstance(value, bytes))


def values_of(item: bytes) -> Iterator[tuple[str, float]]:
    """The numbers of one item; nested names are joined."""
    for number, wire, value in fields(item):
        if number in (VALUE, HISTORY_JSON) and wire == 2 and isinstance(value, bytes):
            with suppress(ValueError, RecursionError):
                yield from numbers(json.loads(value), names_of(item))
        elif number == HISTORY_NUMBER and wire == 1 and isinstance(value, bytes):
            yield from numbers(double_float(value), names_of(item))
        elif number == HISTORY_INTEGER and wire == 0 and isinstance(value, int):
            yield from numbers((value >> 1) ^ -(value & 1), names_of(item))
