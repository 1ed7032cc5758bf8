"""Where something stands in the source of a paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Within = Literal["text", "heading", "caption", "footnote", "abstract", "title"]
SetIn = Literal["text", "math", "index"]


@dataclass(frozen=True)
class SourcePlace:
    """Where something stands. `section` is the heading above it, or `abstract`; `claim` the claim around it."""

    file: str
    line: int
    section: str = ""
    within: Within = "text"
    mode: SetIn = "text"
    claim: str = ""
    is_in_table: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class SourceFault:
    """Something that the source may not hold: what is wrong, then what to do about it."""

    place: SourcePlace
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"
