"""What a trial has come to so far, as its next step is decided from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flagstone.errors import FlagstoneError
from flagstone.plans import CONTROL
from flagstone.trials.lines import IdeaLine, Line, LookLine
from flagstone.trials.outcomes import RunOutcome
from flagstone.trials.story import Story, lines_in, story_of

TAMPERED = "tampered"  # how the harness begins the reason of such a run


@dataclass(frozen=True)
class TrialState:
    """The lines of the ledger, and what they amount to."""

    lines: tuple[Line, ...] = ()

    @classmethod
    def read(cls, ledger: Path) -> TrialState:
        return cls(tuple(lines_in(ledger)))

    @cached_property
    def story(self) -> Story:
        return story_of(self.lines)

    @cached_property
    def baseline(self) -> LookLine | None:
        return next((look for look in self.story.looks if look.what == "baseline"), None)

    @property
    def is_deterministic(self) -> bool:
        return bool(self.baseline and self.baseline.facts.get("is_deterministic"))

    @property
    def was_tampered_with(self) -> str:
        """The run that found what decides about its number changed, and how; '' if none did."""
        found = (run for run in self.story.runs.values() if run.reason.startswith(TAMPERED))
        return next((f"{run.arm}-{run.slot}: {run.reason}" for run in found), "")

    def of(self, what: str) -> dict[str, LookLine]:
        """The last look of a kind at each arm."""
        return {look.arm: look for look in self.story.looks if look.what == what}

    @property
    def confirmations(self) -> tuple[LookLine, ...]:
        return tuple(look for look in self.story.looks if look.what == "confirm")

    @property
    def ideas_with_code(self) -> tuple[IdeaLine, ...]:
        """The ideas that have become code."""
        return tuple(idea for idea in self.story.ideas.values() if not idea.failure)

    def has_passed(self, arm: str) -> bool:
        """Whether an arm has passed every check."""
        look = self.of("checks").get(arm)
        return look is not None and all(check.is_passed for check in look.checks)

    def outcome(self, arm: str, slot: str) -> RunOutcome:
        """One run as it is judged. The seed of a confirmation run is known with the verdict."""
        line, verdict = self.story.runs.get((arm, slot)), self.story.verdict
        if line is None:
            raise FlagstoneError(f"the ledger has no run {arm}-{slot}", hint="restore the ledger from a copy")
        seed = verdict.seeds.get(slot) if verdict else None
        return RunOutcome(arm, slot, line.status, line.value, seed, line.metrics, line.wall_s, line.reason)

    def outcomes(self, arm: str, slots: Iterable[str]) -> tuple[RunOutcome, ...]:
        return tuple(self.outcome(arm, slot) for slot in slots)

    def control(self, slots: Iterable[str]) -> tuple[RunOutcome, ...]:
        return self.outcomes(CONTROL, slots)
