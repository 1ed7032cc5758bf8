"""What paper.yaml says about the paper: its title, its keywords, and its sections in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flagstone import schemas
from flagstone.errors import FlagstoneError

NAME = "paper.yaml"
PLAIN = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
PLAIN |= {letter: f"\\{letter}" for letter in "{}$&#_%"}


@dataclass(frozen=True)
class Manuscript:
    """The parts of a paper that are no LaTeX."""

    title: str
    sections: tuple[str, ...]
    short_title: str = ""
    keywords: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    after_references: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """What it prints besides the sections."""
        return tuple(text for text in (self.title, self.short_title, *self.authors, *self.keywords) if text)

    @property
    def all_sections(self) -> tuple[str, ...]:
        return (*self.sections, *self.after_references)


def read_manuscript(writing: Path, schema_folder: Path) -> Manuscript:
    """Raises FlagstoneError, with all that is wrong, if paper.yaml cannot be used."""
    path = writing / NAME
    if not path.is_file():
        raise FlagstoneError(
            f"workspace/writing/{NAME} does not exist",
            hint="write it: title, keywords, and sections, the names of the files in workspace/writing/sections",
        )
    value: Any = schemas.read_yaml(path)
    schemas.check(schema_folder, "paper", value, f"workspace/writing/{NAME}")
    return manuscript_of(value)


def manuscript_of(value: Mapping[str, Any]) -> Manuscript:
    given: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in value.items()}
    return Manuscript(**given)


def as_latex(text: str) -> str:
    """Plain text as LaTeX prints it: a title can hold no command."""
    return "".join(PLAIN.get(letter, letter) for letter in " ".join(text.split()))
