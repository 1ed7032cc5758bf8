"""What the next proposal is advised to do, by how long there was no gain."""

from __future__ import annotations

from enum import StrEnum

REFINE_AFTER = 3
PIVOT_AFTER = 5
SEARCH_EVERY = 2
HALT_AT = 3


class Advice(StrEnum):
    """What the next proposal is advised to do. `halt` is a hint as well: only the stopping conditions end anything."""

    NORMAL = "normal"
    REFINE = "refine"
    PIVOT = "pivot"
    SEARCH = "search"
    HALT = "halt"


def advice_after(failures: int) -> Advice:
    """The advice after so many failures since the last gain, which resets it."""
    pivots, streak = divmod(failures, PIVOT_AFTER)
    if pivots >= HALT_AT:
        return Advice.HALT
    if streak >= REFINE_AFTER:
        return Advice.REFINE
    if streak or not pivots:
        return Advice.NORMAL
    return Advice.PIVOT if pivots % SEARCH_EVERY else Advice.SEARCH
