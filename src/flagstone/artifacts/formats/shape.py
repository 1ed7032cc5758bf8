"""What a look into a file has shown, whatever its format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

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


def printable_name(text: object) -> str:
    """A name from a file, short and fit for any record."""
    return escaped_text(str(text), NAME_LENGTH)


def printable_names(names: Iterable[object]) -> list[str]:
    return [printable_name(name) for name in islice(names, NAMES_LIMIT)]


class MakerTally:
    """Collects who made each record while records stream by."""

    def __init__(self) -> None:
        self.experiments: set[str] = set()
        self.trials: set[str] = set()
        self.unnamed = 0

    def note(self, record: object) -> None:
        found = record if isinstance(record, Mapping) else {}
        experiment, trial = maker_name(found.get("experiment")), maker_name(found.get("trial"))
        self.unnamed += not (experiment or trial)
        for known, name in ((self.experiments, experiment), (self.trials, trial)):
            if name and len(known) < NAMES_LIMIT:
                known.add(name)

    def makers(self) -> Makers:
        return Makers(tuple(sorted(self.experiments)), tuple(sorted(self.trials)), self.unnamed)


def maker_name(value: object) -> str:
    if isinstance(value, str):
        return printable_name(value.strip())
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""
