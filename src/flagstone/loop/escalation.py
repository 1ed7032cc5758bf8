"""How far a losing streak has come: what a proposer should do about it, from refining to stopping."""

from __future__ import annotations

from enum import StrEnum

REFINE_AFTER = 3
PIVOT_AFTER = 5
SEARCH_EVERY = 2
HALT_AT = 3


class Level(StrEnum):
    """What the next proposal is advised to do. `halt` is a hint as well: only the stopping conditions end anything."""

    NORMAL = "normal"
    REFINE = "refine"
    PIVOT = "pivot"
    SEARCH = "search"
    HALT = "halt"


def level_of(failures: int) -> Level:
    """The level after so many failures since the last gain. A gain begins all of it anew."""
    pivots, streak = divmod(failures, PIVOT_AFTER)
    if pivots >= HALT_AT:
        return Level.HALT
    if streak >= REFINE_AFTER:
        return Level.REFINE
    if streak or not pivots:
        return Level.NORMAL
    return Level.PIVOT if pivots % SEARCH_EVERY else Level.SEARCH
