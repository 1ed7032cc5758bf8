"""One number or name that a paper may print, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flagstone.artifacts.rules import RuleCheck, failed_check, passed_check
from flagstone.errors import suggestion
from flagstone.text import count_text

FactKind = Literal["measured", "derived", "config", "dataset", "literature"]
Value = float | int | str
RULE = "paper-facts"


@dataclass(frozen=True)
class Fact:
    """A value, the text that `\\val` prints for it, and what it rests on.

    `inputs` are the files that were read for it, with their sha256. `n` says how many values are behind it. A fact that
    is exploratory rests on a screen, or on a trial whose result cannot be SUPPORTED.
    """

    key: str
    value: Value
    printed: str
    n: int = 1
    seeds: tuple[int, ...] = ()
    unit: str = ""
    kind: FactKind = "measured"
    inputs: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    is_exploratory: bool = False
    cite: str = ""
    quote: str = ""


@dataclass(frozen=True)
class FactBook:
    """The facts of a paper by key, and everything that is wrong with its facts.yaml.

    `lists` are the keys that stand for several values: an expression may use them, and no paper can print them.
    `broken` are the keys that have no value; a problem says why.
    """

    facts: Mapping[str, Fact] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    lists: Mapping[str, int] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()

    def unknown_text(self, key: str) -> str:
        """Why `\\val{key}` cannot be printed, and what to do about it."""
        if key in self.lists:
            count = count_text(self.lists[key], "value")
            return f"\\val{{{key}}} stands for {count}; reduce them to one (reduce: mean)"
        if key in self.broken:
            return f"the fact {key!r} has no value; flagstone paper facts says why"
        close = suggestion(key, self.facts)
        return f"there is no fact {key!r}; {close or 'add it to facts.yaml'}"

    @property
    def checks(self) -> list[RuleCheck]:
        """How the rule about facts went: one check for each problem."""
        if self.problems:
            return [failed_check(RULE, problem) for problem in self.problems]
        return [passed_check(RULE, f"{count_text(len(self.facts), 'fact')} computed from files of this run")]
