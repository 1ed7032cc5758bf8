"""Which parameters moved the number, over all runs that were given some: ranks, not models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

from flagstone.experiments.reporting.summary import Tried

ENOUGH = 8
CLEAR, SOME = 0.5, 0.2


@dataclass(frozen=True)
class Impact:
    """One parameter: what was tried, where the best was, and how its rank goes with that of the number (−1 to 1)."""

    name: str
    runs: int
    tried: str
    best: Any
    correlation: float | None
    is_choice: bool = False

    @property
    def strength(self) -> float:
        return abs(self.correlation or 0.0)


def impacts(parameters: Mapping[str, Tried], direction: str) -> list[Impact]:
    """Every parameter that was varied, the one that goes with the number most first."""
    found = (impact_of(name, tried, direction) for name, tried in parameters.items())
    return sorted((each for each in found if each is not None), key=lambda each: -each.strength)


def impact_of(name: str, tried: Tried, direction: str) -> Impact | None:
    """Returns None if the parameter was always the same."""
    settings, values = tried.settings, tried.values
    if len({repr(setting) for setting in settings}) < 2:
        return None
    best = settings[values.index((min if direction == "min" else max)(values))]
    numbers = [float(each) for each in settings if isinstance(each, int | float) and not isinstance(each, bool)]
    if len(numbers) == len(settings):
        correlation = spearman(numbers, values) if len(values) >= ENOUGH else None
        return Impact(name, len(values), f"{min(numbers):.4g} to {max(numbers):.4g}", best, correlation)
    return Impact(name, len(values), medians(tried, direction), best, None, is_choice=True)


def medians(tried: Tried, direction: str) -> str:
    """The middle value of each choice, the best one first."""
    by_choice: dict[str, list[float]] = {}
    for setting, value in zip(tried.settings, tried.values, strict=True):
        by_choice.setdefault(str(setting), []).append(value)
    middles = sorted(((median(values), choice) for choice, values in by_choice.items()), reverse=direction == "max")
    return ", ".join(f"{choice} {middle:.4g}" for middle, choice in middles[:4])


def spearman(left: Sequence[float], right: Sequence[float]) -> float | None:
    """The correlation of ranks. Returns None if one side does not vary."""
    first, second = ranks(left), ranks(right)
    middle = mean(first)
    shared = sum((a - middle) * (b - middle) for a, b in zip(first, second, strict=True))
    spread = sum((a - middle) ** 2 for a in first) * sum((b - middle) ** 2 for b in second)
    return float(shared / spread**0.5) if spread else None


def ranks(values: Sequence[float]) -> list[float]:
    """The place of each value; equal ones share theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        stop = start
        while stop + 1 < len(order) and values[order[stop + 1]] == values[order[start]]:
            stop += 1
        for position in order[start : stop + 1]:
            found[position] = (start + stop) / 2
        start = stop + 1
    return found


def impact_text(impact: Impact, direction: str) -> str:
    """What to make of it."""
    if impact.is_choice:
        return "the median of each choice"
    if impact.correlation is None:
        return "too few runs to say"
    if impact.strength < SOME:
        return f"no clear effect (rank correlation {impact.correlation:+.2f})"
    is_better_high = (impact.correlation < 0) == (direction == "min")
    much = "clearly " if impact.strength >= CLEAR else ""
    return f"{much}better {'high' if is_better_high else 'low'} (rank correlation {impact.correlation:+.2f})"
