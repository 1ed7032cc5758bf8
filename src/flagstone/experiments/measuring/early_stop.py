"""Ends a run whose intermediate numbers are clearly worse than those of the run that it was edited from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from flagstone.metrics import numbers_printed
from flagstone.plans import MetricSpec, Spec
from flagstone.statistics import deviation

ENOUGH = 3  # runs of the baseline: fewer say too little about what varies


@dataclass
class EarlyStop:
    """Hears every line of a run, and answers True once its number in one place is worse than the limit.

    It looks at one place only, so that the answer never depends on when it looks.
    """

    metric: MetricSpec
    at: int
    of: int
    rival: str
    limit: float
    seen: int = 0
    reason: str = ""

    def __call__(self, line: bytes) -> bool:
        for value in numbers_printed(line, self.metric.name):
            self.seen += 1
            # a number that is none is worse than any
            if self.seen == self.at and not (value == self.limit or self.metric.is_better(value, than=self.limit)):
                worse = "more" if self.metric.direction == "min" else "less"
                self.reason = (
                    f"stopped early: {self.metric.name} was {value:.6g} at value {self.at} of {self.of}, "
                    f"{worse} than {self.limit:.6g}, the limit from {self.rival}"
                )
        return bool(self.reason)


def early_stop_for(spec: Spec, rival: tuple[str, Path], baseline: Sequence[Path]) -> EarlyStop | str:
    """What watches a run, from the logs of its rival and of the baseline. Returns in words why nothing can."""
    name, log = rival
    if spec.metric.options.get("regex"):
        return "the metric has a regex of its own"
    known = list(numbers_in(log, spec.metric.name))
    at = ceil(spec.early_stop["after"] * len(known))
    if not 0 < at < len(known):
        return f"{name} printed {len(known)} values of {spec.metric.name}"
    others = [values[at - 1] for each in baseline if len(values := list(numbers_in(each, spec.metric.name))) >= at]
    apart = deviation(others) if len(others) >= ENOUGH else 0.0
    if not apart:
        return f"{len(others)} runs of the baseline do not say what value {at} varies by"
    allowed = float(re.match(r"[\d.]+", spec.early_stop["worse_than"])[0]) * apart  # type: ignore[index]
    limit = known[at - 1] + (allowed if spec.metric.direction == "min" else -allowed)
    return EarlyStop(spec.metric, at, len(known), name, limit)


def numbers_in(log: Path, name: str) -> Iterator[float]:
    """Every value of a metric that a run printed, in order."""
    try:
        with open(log, "rb") as lines:
            yield from in_lines(lines, name)
    except OSError:
        return


def in_lines(lines: Iterable[bytes], name: str) -> Iterator[float]:
    for line in lines:
        yield from numbers_printed(line, name)
