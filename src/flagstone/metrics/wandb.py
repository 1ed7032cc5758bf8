"""The last summary of a wandb run, online or offline: its summary file, or else its transaction log."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from flagstone.metrics.series import Place, Reading
from flagstone.metrics.tables import numbers
from flagstone.metrics.wire import fields

BLOCK, HEAD, FILE_HEAD = 32_768, 7, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
LARGEST = 512_000_000
# of wandb_internal.proto: Record.history and .summary, their items, and an item's key, nested key and value
HISTORY, SUMMARY, ITEM, KEY, NESTED, VALUE = 2, 3, 1, 1, 2, 16


def read(options: Mapping[str, object], place: Place, wanted: Sequence[str]) -> Reading:
    """What the newest own run has summed up."""
    folder = str(options.get("dir") or "wandb")
    runs = own_runs(place, folder)
    if not runs:
        return Reading({}, "wandb", (f"the run left no wandb run in {folder}/",))
    problems: list[str] = []
    for run in runs:
        values = summary_of(run) or logged_in(run)
        if values:
            return Reading(values, "wandb", tuple(problems), (os.path.relpath(run, place.run_dir),))
        problems.append(f"{run.name} holds no summary that can be read")
    return Reading({}, "wandb", tuple(problems), tuple(os.path.relpath(run, place.run_dir) for run in runs))


def own_runs(place: Place, folder: str) -> list[Path]:
    """The run folders that something was written to while the run ran, the newest first."""
    if os.path.isabs(folder) or ".." in folder.split("/"):
        return []
    found = []
    for pattern in (f"{folder}/run-*", f"{folder}/offline-run-*"):
        for run in place.run_dir.glob(pattern):
            own = [path for path in (*run.glob("files/*"), *run.glob("*.wandb")) if place.is_own(path)]
            if own and not run.is_symlink():
                found.append((max(path.stat().st_mtime for path in own), run))
    return [run for _, run in sorted(found, reverse=True)]


def summary_of(run: Path) -> dict[str, float]:
    path = run / "files" / "wandb-summary.json"
    with suppress(OSError, ValueError, RecursionError):
        if path.stat().st_size < LARGEST:
            return dict(numbers(json.loads(path.read_text(encoding="utf-8"))))
    return {}


def logged_in(run: Path) -> dict[str, float]:
    """The last values in the transaction log: an offline run may hold nothing else."""
    found: dict[str, float] = {}
    for path in sorted(run.glob("*.wandb")):
        with suppress(OSError):
            if path.stat().st_size >= LARGEST:
                continue
            for record in records(path.read_bytes()):
                with suppress(ValueError, UnicodeDecodeError):
                    found.update(values_in(record))
    return found


def records(content: bytes) -> Iterator[bytes]:
    """Every whole record of a log in LevelDB's form; what is cut off is left out."""
    position, parts = FILE_HEAD, b""
    while position + HEAD <= len(content):
        left = BLOCK - position % BLOCK
        if left < HEAD:
            position += left
            continue
        _, length, kind = struct.unpack("<IHB", content[position : position + HEAD])
        part = content[position + HEAD : position + HEAD + length]
        if kind not in (FULL, FIRST, MIDDLE, LAST) or len(part) < length:
            return
        parts = part if kind in (FULL, FIRST) else parts + part
        if kind in (FULL, LAST):
            yield parts
        position += HEAD + length


def values_in(record: bytes) -> Iterator[tuple[str, float]]:
    for number, wire, content in fields(record):
        if number in (HISTORY, SUMMARY) and wire == 2 and isinstance(content, bytes):
            for inner, kind, item in fields(content):
                if inner == ITEM and kind == 2 and isinstance(item, bytes):
                    yield from value_of(item)


def value_of(item: bytes) -> Iterator[tuple[str, float]]:
    """The numbers of one item; nested names are joined."""
    names: list[str] = []
    text = ""
    for number, wire, content in fields(item):
        if wire == 2 and isinstance(content, bytes):
            if number in (KEY, NESTED):
                names.append(content.decode())
            elif number == VALUE:
                text = content.decode()
    with suppress(ValueError):
        yield from numbers(json.loads(text), tuple(names))
