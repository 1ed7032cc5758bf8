"""Keys of `.autoresearch` files that mean nothing here, each with what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flagstone.schemas import Misfit

FILES = (".autoresearch/config.yaml", ".autoresearch.yaml")
NO_MERGE = "nothing is merged or pushed; merge the branch that `flagstone marker finalize` makes yourself"
NO_SNAPSHOT = "each run has its own copy of the repository; prepare what else it needs in metric.command"
INSTEAD = {
    "results": {
        "notify": "give the exit code of `flagstone marker run` to what notifies you",
        "auto_merge": NO_MERGE,
    },
    "auto_merge": {
        **dict.fromkeys(("enabled", "target_branch", "push_to_remote", "create_pr"), NO_MERGE),
        **dict.fromkeys(("snapshot_command", "restore_command"), NO_SNAPSHOT),
        "notify": "give the exit code of `flagstone marker finalize` to what notifies you",
        "min_confidence": "write noise.alpha, the accepted chance of a false gain",
    },
    "schedule": {"duration_hours": "write schedule.duration, such as 8h"},
}


def split_foreign(marker: Mapping[str, Any]) -> tuple[dict[str, Any], list[Misfit]]:
    """A marker without these keys, and what to write instead of each."""
    kept, found = dict(marker), []
    for section, keys in INSTEAD.items():
        row = marker.get(section)
        if not isinstance(row, dict):
            continue
        kept[section] = {key: value for key, value in row.items() if key not in keys}
        found += [Misfit((section,), f"means nothing here: {keys[key]}", key=key) for key in keys if row.get(key)]
    return kept, found


def with_old_duration(row: Mapping[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a marker, with its `schedule.duration_hours` as a duration."""
    schedule = row.get("schedule")
    hours = schedule.get("duration_hours") if isinstance(schedule, dict) else None
    if not isinstance(hours, int | float) or isinstance(hours, bool):
        return kept
    return {**kept, "schedule": {"duration": f"{hours}h", **kept["schedule"]}}
