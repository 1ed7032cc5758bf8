"""What was found out about a project, how sure that is, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Certainty = Literal["certain", "likely", "unclear", "none"]


@dataclass(frozen=True)
class LostCandidate:
    """A value that was found too, and why another one was preferred."""

    value: Any
    why: str


@dataclass(frozen=True)
class ProjectFinding:
    """One finding. `value` is as JSON has it, `evidence` names places as path:line, `note` warns in one sentence."""

    id: str
    value: Any
    confidence: Certainty
    evidence: tuple[str, ...] = ()
    lost: tuple[LostCandidate, ...] = ()
    note: str = ""

    @property
    def candidates(self) -> tuple[Any, ...]:
        """The value, and after it those that lost."""
        return (self.value, *(each.value for each in self.lost))
