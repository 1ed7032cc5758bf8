"""A marker that a repository could have, and how it is written into the marker file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flagstone.markers.marker import Metric

WORDS = {"min": "lower", "max": "higher"}
WHAT = {
    "coverage": "Cover more of the code with tests that check what it does",
    "lint": "Remove what the linter reports, without silencing it",
    "tests": "Make more tests pass, without changing the tests",
    "build-time": "Build in less time, with the same result",
}


@dataclass(frozen=True)
class Proposal:
    """What could become better, and what may change for it. The guard is a command; '' if there is none.

    `keeps_guard` says that a person wants this guard, also where it fails already.
    """

    name: str
    metric: Metric
    mutable: tuple[str, ...]
    immutable: tuple[str, ...] = ()
    guard: str = ""
    description: str = ""
    keeps_guard: bool = False

    def row(self, *, is_tccw: bool) -> dict[str, Any]:
        """The marker as a mapping of its file. What has its default is left out."""
        description = self.description or WHAT.get(kind_of(self.name), "")
        found: dict[str, Any] = {"name": self.name} | ({"description": description} if description else {})
        immutable = {"immutable": list(self.immutable)} if self.immutable else {}
        found["target"] = {"mutable": list(self.mutable)} | immutable
        found["metric"] = metric_row(self.metric, is_tccw=is_tccw)
        return found | ({"guard": {"command": self.guard}} if self.guard else {})


def kind_of(name: str) -> str:
    return name.partition("-in-")[0]


def metric_row(metric: Metric, *, is_tccw: bool = False) -> dict[str, Any]:
    """A metric as a mapping of the marker file. What has its default there is left out."""
    default = Metric(metric.command, metric.extract, metric.direction, stderr=is_tccw)
    found: dict[str, Any] = {"command": metric.command, "extract": metric.extract}
    found["direction"] = WORDS[metric.direction]
    for key in ("baseline", "target", "ok_exit", "empty", "stderr", "timing"):
        value = getattr(metric, key)
        if value != getattr(default, key):
            found[key] = list(value) if isinstance(value, tuple) else plain_number(value)
    return found


def plain_number(value: Any) -> Any:
    """A whole number without its decimal point."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else value
