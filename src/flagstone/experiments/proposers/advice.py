"""What the next proposal is advised to do, by how long there was no gain."""

from __future__ import annotations

from enum import StrEnum

from flagstone.plans import Escalation


class Advice(StrEnum):
    """What the next proposal is advised to do. `halt` ends the experiment only with `stopping.on_halt`."""

    NORMAL = "normal"
    REFINE = "refine"
    PIVOT = "pivot"
    SEARCH = "search"
    HALT = "halt"


def advice_after(failures: int, steps: Escalation) -> Advice:
    """The advice after so many failures since the last gain, which resets it."""
    pivots, streak = divmod(failures, steps.pivot_after)
    if failures >= steps.most_failures:
        return Advice.HALT
    if streak >= steps.refine_after:
        return Advice.REFINE
    if streak or not pivots:
        return Advice.NORMAL
    return Advice.PIVOT if pivots % steps.search_after_pivots else Advice.SEARCH
