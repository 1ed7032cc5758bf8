"""The screen: which ideas are dropped after a few seeds, and which one is confirmed. Its numbers are exploratory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flagstone.statistics import Direction, cohens_d, improvements, is_at_least, mean
from flagstone.trials.deciding.pairs import failed_text, matched_runs, usable_values
from flagstone.trials.outcomes import RunOutcome, ScreenResult

SCREENING_SLOTS = ("a1", "a2", "a3")
LEAST_D = 0.2


def screen_result(
    arm: str, control: Sequence[RunOutcome], treated: Sequence[RunOutcome], direction: Direction
) -> ScreenResult:
    """The screen of one idea against the stored control."""
    sides = matched_runs(control, treated)
    if failure := failed_text("treated run", treated) or failed_text("control", control):
        return ScreenResult(arm, len(sides), None, None, True, failure)
    ours, theirs = usable_values(run for run, _ in sides), usable_values(run for _, run in sides)
    gain = mean(improvements(ours, theirs, direction))
    d = cohens_d(ours, theirs, direction)
    reason = ""
    if gain <= 0:
        reason = f"no improvement on average ({gain:.4g})"
    elif d is not None and not is_at_least(d, LEAST_D):
        reason = f"d {d:.4g} is below {LEAST_D:g}"
    return ScreenResult(arm, len(sides), gain, d, bool(reason), reason)


def survivor(screens: Iterable[ScreenResult]) -> ScreenResult | None:
    """The idea that is confirmed: the one with the largest mean improvement; of equal ones the first."""
    left = [screen for screen in screens if not screen.is_dropped]
    return max(left, key=lambda screen: screen.mean or 0.0, default=None)
