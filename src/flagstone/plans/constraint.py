"""A bound that a run has to keep, on a metric or on a measured quantity."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from flagstone.errors import FlagstoneError

CONSTRAINT = re.compile(r"\s*([\w./\- ]+?)\s*(<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*\Z")


@dataclass(frozen=True)
class Constraint:
    """A bound on a metric or a measured quantity; without a value it does not hold."""

    name: str
    op: str
    threshold: float

    def holds(self, value: float | None) -> bool:
        if value is None or math.isnan(value):
            return False
        limits = {
            "<=": value <= self.threshold,
            "<": value < self.threshold,
            ">=": value >= self.threshold,
            ">": value > self.threshold,
        }
        return limits[self.op]


def constraint_of(text: str) -> Constraint:
    """`name op number`; what cannot be read is an error, never left out."""
    found = CONSTRAINT.match(text)
    if not found:
        raise FlagstoneError(
            f"the constraint {text!r} is not of the form `name <= number`",
            hint="write it like this: peak_vram_mb <= 40000; the signs are <= < >= >",
        )
    return Constraint(found[1].strip(), found[2], float(found[3]))
