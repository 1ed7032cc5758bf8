"""Small JSON files that describe another file beside them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

from flagstone.artifacts.formats import (
    Makers,
    MakerTally,
    Unreadable,
    decode_text,
    loads_strict,
    read_bounded,
)
from flagstone.layout import Run

SIDECAR_LIMIT_BYTES = 65_536
SCHEMA_ENDING = ".schema.json"


def is_sidecar(path: str, siblings: Collection[str]) -> bool:
    """`scores.npz.json` beside `scores.npz`, and every `*.schema.json`."""
    return path.endswith(SCHEMA_ENDING) or (path.endswith(".json") and path[: -len(".json")] in siblings)


def read_sidecar(run: Run, path: str) -> Mapping[str, Any] | None:
    """Returns the sidecar, or None if there is none; an unusable one is refused with the reason."""
    where = run.root / path
    if not os.path.lexists(where):
        return None
    value = loads_strict(decode_text(read_bounded(where, run.root, SIDECAR_LIMIT_BYTES)))
    if not isinstance(value, dict):
        raise Unreadable("not a JSON object")
    return value


def declared_schema(run: Run, path: str) -> dict[str, object]:
    """What `<file>.schema.json` declares, or why it cannot be used."""
    try:
        value = read_sidecar(run, path + SCHEMA_ENDING)
    except Unreadable as refusal:
        return {"declared_problem": refusal.reason}
    return {} if value is None else {"declared": value}


def sidecar_makers(run: Run, path: str) -> Makers:
    """Who made a file that cannot name its maker itself, such as a NumPy array."""
    for sidecar in (path + ".json", path + SCHEMA_ENDING):
        try:
            value = read_sidecar(run, sidecar)
        except Unreadable:
            continue
        tally = MakerTally()
        tally.note(value)
        if tally.makers().is_complete:
            return tally.makers()
    return Makers(unnamed=1)
