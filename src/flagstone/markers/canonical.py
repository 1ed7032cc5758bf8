"""The values of a marker file with one name and one unit for each thing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flagstone.markers.durations import duration_s

EXPONENT = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+\Z", re.ASCII)
DIRECTIONS = {"lower": "min", "higher": "max", "min": "min", "max": "max"}
OWN = ("name", "description", "status", "escalation", "run")


def canonical_values(row: Mapping[str, Any], *, is_tccw: bool) -> dict[str, Any]:
    """The values of one checked marker, in the form of the dataclass. What is not set is left out."""
    made = {key: row[key] for key in OWN if key in row} | dict(row.get("target", {}))
    if "metric" in row:
        stderr = {"stderr": True} if is_tccw else {}
        made["metric"] = {**stderr, **row["metric"], "direction": DIRECTIONS[row["metric"]["direction"]]}
    made |= {name: check_values(row[name]) for name in ("guard", "hidden") if name in row}
    made |= {name: part for name, part in shared_values(row).items() if part}
    if "noise" in row:
        made["noise"] = None if row["noise"] in ("off", False) else row["noise"]
    if "simplicity" in row:
        made["simplicity"] = row["simplicity"] or "off"
    if "schedule" in row:
        made["schedule"] = with_seconds(row["schedule"], "duration")
    branch = finalize_values(row)
    return made | ({"finalize": branch} if branch else {})


def check_values(row: Mapping[str, Any]) -> dict[str, Any]:
    made = {key: value for key, value in row.items() if key not in ("paths", "direction")}
    direction = {"direction": DIRECTIONS[row["direction"]]} if "direction" in row else {}
    return made | direction | ({"held_out": row["paths"]} if "paths" in row else {})


def shared_values(row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`loop` and `agent`, which have some keys in common: older files have them in one, newer ones in the other."""
    loop, agent = dict(row.get("loop", {})), dict(row.get("agent", {}))
    for key in ("budget_per_experiment", "max_experiments", "model"):
        if key in agent:
            loop.setdefault(key, agent[key])
        agent.pop(key, None)
    if "model" in loop:
        agent["model"] = loop["model"]
    if "budgets" in loop:
        loop["budgets"] = with_seconds(loop["budgets"], "wall")
    return {"loop": with_seconds(loop, "budget_per_experiment"), "agent": agent}


def with_seconds(row: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A mapping whose duration `key` is a number of seconds `key_s`."""
    made = {name: value for name, value in row.items() if name != key}
    return made | ({f"{key}_s": duration_s(row[key])} if key in row else {})


def finalize_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """`finalize`, with what other files say elsewhere: the prefix of the branch, and the commands that must pass."""
    made, merging = dict(row.get("finalize", {})), row.get("auto_merge", {})
    prefix = row.get("results", {}).get("branch_prefix")
    if prefix:
        made.setdefault("branch", f"{prefix}/{row['name'].replace(' ', '-')}")
    wanted = merging.get("gates", ("security", "tests"))
    named = {"security": merging.get("security_command"), "tests": merging.get("test_command")}
    gates = [named[name] for name in wanted if named.get(name)]
    return made | ({"gates": [*made.get("gates", ()), *gates]} if gates else {})


def with_numbers(value: Any, form: Mapping[str, Any], shared: Mapping[str, Any]) -> Any:
    """A value in which 1e-3 is a number, where its schema asks for one: YAML 1.1 reads it as text."""
    form = shared.get(str(form.get("$ref", "")).rpartition("/")[2], form)
    form = next((each for each in form.get("oneOf", ()) if "properties" in each), form)
    if isinstance(value, dict):
        rows = form.get("properties", {})
        return {key: with_numbers(row, rows.get(key, {}), shared) for key, row in value.items()}
    if isinstance(value, list):
        return [with_numbers(row, form.get("items", {}), shared) for row in value]
    is_number = form.get("type") == "number" and isinstance(value, str) and EXPONENT.match(value)
    return float(value) if is_number else value
