"""What a stage is built with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flagstone.agents import Agent, Event
from flagstone.artifacts import RuleCheck


@dataclass(frozen=True)
class StageWork:
    """What Flagstone itself does for a stage: something before its agent starts, and checks of its own after it."""

    begin: Callable[[], object] = lambda: None
    checks: Callable[[], Sequence[RuleCheck]] = lambda: ()


@dataclass(frozen=True)
class StageContext:
    """What a stage is built with: the agent, the terminal, a clock, and our own part of the work."""

    agent: Callable[[], Agent]
    say: Callable[[str], None]
    on_event: Callable[[Event], None]
    sleep: Callable[[float], None] = time.sleep
    work: StageWork = StageWork()  # frozen
    judge: Callable[[], Agent] | None = None  # who reviews, if that is another agent
