"""All places in which one number was found, and how it ranks among the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flagstone.plans import is_time
from flagstone.setup.results.numbers.metric_candidate import BY_SPLIT, MetricCandidate, named_direction, words_in

# from where a number can be read best to where it can only be guessed; the last two say nothing of where it is read
SOURCES = ("trace", "call", "printed", "tracker", "bar", "best", "monitor")
SAME = {"validation": "val", "valid": "val", "accuracy": "acc"}
VALIDATION = ("eval", "val", "dev")
FOLDERS = ("charts", "metrics", "metric", "scores")  # of a tracker, before the name
DECIDED_BY = {"monitor", "best"}
TEST, TRAINING = 3, 4
LONGEST = 80  # characters of a name that is shown


@dataclass(frozen=True)
class NumberGroup:
    """`val/loss`, `val_loss` and `val loss` are one number."""

    found: tuple[MetricCandidate, ...]

    @property
    def sources(self) -> set[str]:
        return {each.source for each in self.found}

    @property
    def split(self) -> int:
        return min(each.split for each in self.found)

    @property
    def is_running(self) -> bool:
        return self.best.is_running

    @property
    def direction(self) -> str | None:
        """What stands beside `monitor=` beats a comparison in the code, and that the name. None if nothing tells."""
        for source in ("monitor", "best"):
            explicit = {each.direction for each in self.found if each.direction and each.source == source}
            if len(explicit) == 1:
                return explicit.pop()
        return named_direction(self.best.name)

    @property
    def best(self) -> MetricCandidate:
        """Where it is read. A tracker may be off; what is printed is always there."""
        return min(self.found, key=lambda each: (SOURCES.index(each.source), each.depth))

    @property
    def evidence(self) -> tuple[str, ...]:
        """The places, first those that tell most about its meaning."""
        order = ("monitor", "best", "trace", "call", "printed", "tracker", "bar")
        return tuple(
            dict.fromkeys(each.place for each in sorted(self.found, key=lambda each: order.index(each.source)))
        )

    @property
    def rank(self) -> tuple[Any, ...]:
        """What comes first: validation data, what is decided by, a name with a direction, and where it was found."""
        return (
            self.sources <= DECIDED_BY,  # compared with, but never written anywhere
            self.split >= TEST,
            self.is_running,
            "monitor" not in self.sources,
            self.sources == {"bar"},
            is_time(self.best.name),
            self.split,
            self.direction is None,
            "best" not in self.sources,
            min(SOURCES.index(each.source) for each in self.found),
        )

    def why_not(self, first: NumberGroup) -> str:
        """The reason why another number was preferred."""
        if self.sources <= DECIDED_BY:
            return "nothing prints or logs it"
        if self.split >= TEST:
            return f"of the {BY_SPLIT[self.split]} data"
        if self.is_running:
            return "the best so far, not the last value"
        if "monitor" in first.sources:
            return "not monitored"
        if self.direction is None:
            return "its name tells no direction"
        is_vague = self.split > first.split
        return "it does not say that it is of validation data" if is_vague else "found later, or in a weaker place"


def groups_by_name(candidates: Iterable[MetricCandidate]) -> list[NumberGroup]:
    """The numbers, the preferred ones first."""
    found: dict[str, list[MetricCandidate]] = {}
    for each in (each for each in candidates if each.name.isprintable() and len(each.name) <= LONGEST):
        found.setdefault(key_of(each.name), []).append(each)
    for name in [name for name, group in found.items() if {each.source for each in group} <= DECIDED_BY]:
        # `top1` is decided by, and `eval_top1` is what is written
        written = next((each for each in found if each in {f"{split}{name}" for split in VALIDATION}), None)
        if written:
            found[written] += found.pop(name)
    return sorted((NumberGroup(tuple(group)) for group in found.values()), key=lambda group: group.rank)


def key_of(name: str) -> str:
    """What two spellings of one name have in common."""
    words = [SAME.get(word, word) for word in words_in(name)]
    return "".join(words[1:] if len(words) > 1 and words[0] in FOLDERS else words)
