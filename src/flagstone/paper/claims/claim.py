"""One claim of the paper with all that it is held against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flagstone.paper.claims.claim_list import ClaimEntry
from flagstone.paper.claims.rulings import ClaimVerdict
from flagstone.paper.facts import Fact
from flagstone.paper.linting import ClaimUse

Words = Mapping[str, Sequence[tuple[str, bool]]]


@dataclass(frozen=True)
class ClaimCase:
    """A claim as it is written, its entry, the facts that it prints and compares, its verdict, and its words.

    `better` says which values are better: lower, higher, or nothing if nobody says it.
    """

    use: ClaimUse
    entry: ClaimEntry
    printed: Sequence[Fact]
    of: Sequence[Fact]
    against: Sequence[Fact]
    ruling: ClaimVerdict | None
    better: str
    words: Words

    def says(self, *groups: str) -> list[str]:
        """The words of some groups that no negation turns around."""
        return [word for group in groups for word, is_negated in self.words.get(group, ()) if not is_negated]

    def denies(self, *groups: str) -> list[str]:
        return [word for group in groups for word, is_negated in self.words.get(group, ()) if is_negated]


def number_of(fact: Fact) -> float:
    """The number of a fact. Raises ValueError if it is a name."""
    if isinstance(fact.value, str):
        raise ValueError(f"the fact {fact.key} is the text {fact.printed!r}; compare numbers")
    return float(fact.value)
