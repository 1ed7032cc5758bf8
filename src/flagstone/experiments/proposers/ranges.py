"""The values that a search may try for one constant, and how the next is drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

STEP = 0.1  # of the whole range: how far a local step goes, as a standard deviation


@dataclass(frozen=True)
class Range:
    """Numbers from low to high (by factors if `is_log`), or one of some choices."""

    name: str
    low: float = 0.0
    high: float = 0.0
    is_log: bool = False
    is_integer: bool = False
    choices: tuple[Any, ...] = ()
    file: str = ""  # that has the value; '' is the entry
    key: str = ""  # its name there
    is_whole_if_told: bool = False  # nothing was said of whole numbers, and both ends are some

    def like(self, value: object) -> Range:
        """The range for a constant that has this value now: a whole number stays one, between two whole numbers."""
        return replace(self, is_integer=True) if self.is_whole_if_told and type(value) is int else self

    @property
    def count(self) -> float:
        """How many values there are."""
        if self.choices:
            return len(self.choices)
        return self.high - self.low + 1 if self.is_integer else math.inf

    def holds(self, value: object) -> bool:
        if self.choices:
            return value in self.choices
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high

    def anywhere(self, chance: Random) -> Any:
        """Any value of the range, all alike."""
        return chance.choice(self.choices) if self.choices else self.at(chance.random())

    def near(self, value: object, chance: Random) -> Any:
        """A value close to this one, and another one; any value if this one is not of the range."""
        if not self.holds(value):
            return self.anywhere(chance)
        if self.choices:
            return chance.choice([each for each in self.choices if each != value])
        assert isinstance(value, int | float)
        found = self.at(min(1.0, max(0.0, self.place_of(value) + chance.gauss(0, STEP))))
        if self.is_integer and found == value:
            found = value + chance.choice([-1, 1])
            found = value - (found - value) if not self.holds(found) else found
        return found

    def at(self, place: float) -> Any:
        """The value at a place from 0 to 1."""
        if self.is_integer and not self.is_log:
            return min(int(self.high), int(self.low + place * (self.high - self.low + 1)))
        if self.is_log:
            value = math.exp(math.log(self.low) + place * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + place * (self.high - self.low)
        return self.round_in(value)

    def round_in(self, value: Any) -> Any:
        """A value in as few digits as one writes, and within the range."""
        if self.choices:
            return value
        held = min(self.high, max(self.low, round(value) if self.is_integer else float(f"{value:.6g}")))
        return int(held) if self.is_integer else float(held)

    def place_of(self, value: float) -> float:
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def ranges_of(parameters: Mapping[str, Mapping[str, Any]]) -> tuple[list[Range], list[str]]:
    """The ranges that a spec declares, and everything that is wrong with them in words."""
    found, faults = [], []
    for name, row in parameters.items():
        faults += [f"{name}: {fault}" for fault in faults_of(row)]
        found.append(
            Range(
                name=name,
                file=row.get("file", ""),
                key=row.get("key", name),
                low=float(row.get("low", 0)),
                high=float(row.get("high", 0)),
                is_log=bool(row.get("log")),
                is_integer=bool(row.get("integer")),
                choices=tuple(row.get("choices", ())),
                is_whole_if_told="integer" not in row and all(type(row.get(end)) is int for end in ("low", "high")),
            )
        )
    return found, faults


def faults_of(row: Mapping[str, Any]) -> list[str]:
    if "choices" in row:
        return faults_of_choices(row)
    if "low" not in row or "high" not in row:
        return ["needs low and high, or choices"]
    low, high = row["low"], row["high"]
    faults = []
    if not (math.isfinite(low) and math.isfinite(high)):
        return ["low and high have to be finite"]
    if low >= high:
        faults.append(f"low ({low:g}) is not below high ({high:g})")
    if row.get("log") and low <= 0:
        faults.append(f"steps by factors (log) need a low above 0, not {low:g}")
    if row.get("integer") and (low != int(low) or high != int(high)):
        faults.append("low and high of a whole number are whole numbers")
    return faults


def faults_of_choices(row: Mapping[str, Any]) -> list[str]:
    choices, faults = row["choices"], []
    if set(row) & {"low", "high", "log", "integer"}:
        faults.append("has choices and a range: give one of them")
    if not all(each is None or isinstance(each, bool | int | float | str) for each in choices):
        faults.append("choices are numbers, texts, true, false or null")
    elif len({repr(each) for each in choices}) < 2:
        faults.append("needs two different choices at least")
    return faults
