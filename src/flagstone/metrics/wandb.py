"""The last summary of a wandb run, online or offline: its summary file, or else its transaction log."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from flagstone.metrics.series import Place, Reading
from flagstone.metrics.tables import numbers
from flagstone.metrics.wire import double, fields

BLOCK, HEAD, FILE_HEAD = 32_768, 7, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
LARGEST = 512_000_000
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
            found, damage = logged_in(run, place)
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
    """What the summary file says; nothing where there is none, or it is of another time."""
    path = run / "files" / "wandb-summary.json"
    with suppress(OSError, ValueError, RecursionError):
        if place.is_own(path) and path.stat().st_size < LARGEST:
            return dict(numbers(json.loads(path.read_text(encoding="utf-8"))))
    return {}


def logged_in(run: Path, place: Place) -> tuple[dict[str, float], list[str]]:
    """The last values in the transaction log, which may be all an offline run holds, and where it is damaged."""
    found: dict[str, float] = {}
    problems: list[str] = []
    for path in sorted(run.glob("*.wandb")):
        if not place.is_own(path):
            continue
        try:
            with suppress(OSError):
                if path.stat().st_size < LARGEST:
                    for record in records(path.read_bytes()):
                        apply(record, found)
        except ValueError as problem:
            problems.append(f"{path.name}: {problem}")
    return found, problems


def records(content: bytes) -> Iterator[bytes]:
    """Every whole record of a log in LevelDB's form; ValueError at what is torn or damaged."""
    position, parts = FILE_HEAD, b""
    while position + HEAD <= len(content):
        left = BLOCK - position % BLOCK
        if left < HEAD:
            position += left
            continue
        check, length, kind = struct.unpack("<IHB", content[position : position + HEAD])
        part = content[position + HEAD : position + HEAD + length]
        if kind not in (FULL, FIRST, MIDDLE, LAST) or len(part) < length or zlib.crc32(bytes([kind]) + part) != check:
            raise ValueError(f"what stands from byte {position} on is torn or damaged")
        parts = part if kind in (FULL, FIRST) else parts + part
        if kind in (FULL, LAST):
            yield parts
        position += HEAD + length


def apply(record: bytes, found: dict[str, float]) -> None:
    """Takes what one record sets or removes into what was found before."""
    with suppress(UnicodeDecodeError):
        for number, wire, content in fields(record):
            if number not in (HISTORY, SUMMARY) or wire != 2 or not isinstance(content, bytes):
                continue
            for inner, kind, item in fields(content):
                if kind != 2 or not isinstance(item, bytes):
                    continue
                if inner == ITEM:
                    found.update(values_of(item))
                elif number == SUMMARY and inner == REMOVED:
                    remove(names_of(item), found)


def remove(names: tuple[str, ...], found: dict[str, float]) -> None:
    """Forgets a name, with all that is nested below it."""
    for joint in "./":
        gone = joint.join(names)
        for name in [each for each in found if each == gone or each.startswith(gone + joint)]:
            del found[name]


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
            yield from numbers(double(value), names_of(item))
        elif number == HISTORY_INTEGER and wire == 0 and isinstance(value, int):
            yield from numbers((value >> 1) ^ -(value & 1), names_of(item))
