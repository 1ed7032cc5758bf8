"""A number that a run may be judged by: where its name was found, and how it can be read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from flagstone.errors import FlagstoneError
from flagstone.plans import direction_of

SPLITS = {"val": 0, "valid": 0, "validation": 0, "dev": 0, "eval": 0, "evaluation": 0, "holdout": 0, "heldout": 0}
SPLITS |= {"test": 3, "testing": 3, "train": 4, "training": 4, "tr": 4}
HELD_OUT, UNSAID = 1, 2
BY_SPLIT = ("validation", "held-out", "unsaid", "test", "training")
RUNNING = frozenset(("best", "min", "minimum", "max", "maximum", "lowest", "highest"))
COUNTERS = """
    epoch epochs step steps iter iters iteration iterations batch batches lr lrm rate dt eta time ms seconds second sec
    elapsed remaining took at to from in of by is for and with size seed rank gpu device id num count total samples
    params parameters tokens version port shape depth width progress data
"""
NO_METRICS = frozenset(COUNTERS.split())
LIMITS: tuple[str, ...] = (
    "vram",
    "memory",
    "mem_mb",
    "mem_gb",
    "tokens_per_sec",
    "tok/sec",
    "tok_per_sec",
    "throughput",
    "latency",
)
LIMITS += ("samples_per_sec", "images_per_sec", "num_params")


@dataclass(frozen=True)
class MetricCandidate:
    """One name in one place. `source` says how it was found, `options` are what its backend needs to read it."""

    name: str
    source: str  # one of SOURCES
    backend: str
    place: str
    options: Mapping[str, str] = field(default_factory=dict)
    direction: str | None = None
    context: str = ""
    depth: int = 0  # of the loops around it: what is printed for each class stands deeper than what sums it up

    @property
    def split(self) -> int:
        """Which part of the data the name, or else the text and the function around it, speaks of."""
        named = [SPLITS[word] for word in words_in(self.name) if word in SPLITS]
        around = [SPLITS[word] for word in words_in(self.context) if word in SPLITS]
        if named:
            return named[0]
        # "Test set: Average loss" in a function `test` is held out for this run, whatever the project calls it
        return (HELD_OUT if around[0] in (0, 3) else around[0]) if around else UNSAID

    @property
    def is_running(self) -> bool:
        """Whether it is the best so far, which grows with the length of a run."""
        return not RUNNING.isdisjoint(words_in(self.name))


def named_direction(name: str) -> str | None:
    """The direction that a name implies. Returns None if it implies none."""
    try:
        return direction_of(name)
    except FlagstoneError:
        return None


def words_in(name: str) -> list[str]:
    """The words of a name, also where capitals divide them: `valLoss` is `val loss`."""
    divided = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    return [word for word in re.split(r"[^a-z0-9]+", divided.lower()) if word]


def is_limit(name: str) -> bool:
    """Whether a name looks like something that a run may not use too much of."""
    return any(word in name.lower() for word in LIMITS)


def is_counter(name: str) -> bool:
    """Whether a name counts or times something, and so says nothing about quality."""
    words = words_in(name)
    return not words or words[-1] in NO_METRICS or all(word in NO_METRICS or word in SPLITS for word in words)
