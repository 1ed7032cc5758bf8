"""A question of setup: what it rests on, its choices, and the value that each choice stands for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from flagstone.text import one_line

MOST_CHOICES = 4
MOST_WORDS = 5  # of a label
MOST_CHARACTERS = 80  # of a text of the project
RECOMMENDED = " (Recommended)"


@dataclass(frozen=True)
class SetupChoice:
    """One choice. Its label has no ", ": that is what several answers are joined with."""

    label: str
    value: Any
    description: str = ""


@dataclass(frozen=True)
class SetupQuestion:
    """A question. The first choice is the default; `is_sure` says whether it may be taken without a person.

    `is_open` says whether the project itself leaves it open, and `flag` what answers it on the command line.
    """

    id: str
    text: str
    header: str
    choices: tuple[SetupChoice, ...]
    flag: str
    is_open: bool = False
    is_sure: bool = True
    is_several: bool = False
    has_default: bool = True  # without one, a person has to choose

    @property
    def default(self) -> Any:
        return self.choices[0].value if self.choices and self.has_default else None

    def choice_named(self, label: str) -> SetupChoice | None:
        """The choice with this label, with or without the mark of the recommended one."""
        plain = label.strip().removesuffix(RECOMMENDED.strip()).strip()
        return next((each for each in self.choices if each.label == plain), None)

    def as_input(self) -> dict[str, Any]:
        """The question as AskUserQuestion takes it, with its id."""
        marks = (RECOMMENDED if number == 0 and self.is_sure else "" for number in range(len(self.choices)))
        options = [
            {"label": f"{each.label}{mark}", "description": each.description}
            for each, mark in zip(self.choices, marks, strict=True)
        ]
        shown = {"question": self.text, "header": self.header, "multiSelect": self.is_several, "options": options}
        return {"id": self.id, **shown}


def choices_of(rows: Iterable[tuple[str, Any, str]]) -> tuple[SetupChoice, ...]:
    """At most four choices from (label, value, description), each label once."""
    found: dict[str, SetupChoice] = {}
    for text, value, description in rows:
        label = label_of(text)
        whole = " ".join(text.split())
        if label != whole:
            description = whole + (f" ({description})" if description else "")
            names = chain([label], (f"{label} {number}" for number in count(2)))
            label = next(each for each in names if each not in found)
        if label and label not in found:
            found[label] = SetupChoice(label, value, one_line(description, MOST_CHARACTERS))
    return tuple(found.values())[:MOST_CHOICES]


def label_of(text: str) -> str:
    """A label of at most five words."""
    words = one_line(text.replace(",", " ") if ", " in text else text, MOST_CHARACTERS).split()
    return " ".join(words if len(words) <= MOST_WORDS else [*words[: MOST_WORDS - 1], "…"])
