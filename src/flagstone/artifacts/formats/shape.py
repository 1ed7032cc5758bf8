"""What a look into a file brought to light, whatever its format."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import BinaryIO

from flagstone.text import escaped_text

NAMES_LIMIT = 100
NAME_LENGTH = 80


@dataclass(frozen=True)
class Makers:
    """The experiments and trials a result says it came from, and how many of its records say nothing."""

    experiments: tuple[str, ...] = ()
    trials: tuple[str, ...] = ()
    unnamed: int = 0

    @property
    def is_complete(self) -> bool:
        return bool(self.experiments or self.trials) and not self.unnamed


@dataclass(frozen=True)
class Shape:
    """A file's schema for the index, how many records were seen in it at least, and who made them."""

    schema: Mapping[str, object]
    records: int
    makers: Makers = field(default_factory=Makers)


Describer = Callable[[BinaryIO, int], Shape]


def printable_name(text: object) -> str:
    """A name from a file, short and fit for any record."""
    return escaped_text(str(text), NAME_LENGTH)


def printable_names(names: Iterable[object]) -> list[str]:
    return [printable_name(name) for name in islice(names, NAMES_LIMIT)]


class MakerTally:
    """Collects who made each record while records stream by."""

    def __init__(self) -> None:
        self.experiments: dict[str, None] = {}
        self.trials: dict[str, None] = {}
        self.unnamed = 0

    def note(self, record: object) -> None:
        if not isinstance(record, Mapping):
            self.unnamed += 1
            return
        experiment, trial = maker_name(record.get("experiment")), maker_name(record.get("trial"))
        if not experiment and not trial:
            self.unnamed += 1
        if experiment and len(self.experiments) < NAMES_LIMIT:
            self.experiments[experiment] = None
        if trial and len(self.trials) < NAMES_LIMIT:
            self.trials[trial] = None

    def makers(self) -> Makers:
        return Makers(tuple(sorted(self.experiments)), tuple(sorted(self.trials)), self.unnamed)


def maker_name(value: object) -> str:
    if isinstance(value, str):
        return printable_name(value.strip())
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
