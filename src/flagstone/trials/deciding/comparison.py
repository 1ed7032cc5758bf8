"""The gate `cohens_d`: Cohen's d of three against three, then of five against five."""

from __future__ import annotations

from collections.abc import Sequence

from flagstone.statistics import Direction, cohens_d, improvements, is_at_least, mean
from flagstone.trials.deciding.pairs import failed_text, usable_values
from flagstone.trials.outcomes import CompareResult, Outcome, RunOutcome

FIRST, MOST = 3, 5  # runs of each arm
REVERT_BELOW, PROCEED_FROM = 0.2, 0.5
COHENS_D_WARNING = (
    "The gate cohens_d accepts 32 % of ideas that do nothing; three such ideas end in a paper 55 % of the time. "
    "PROCEED is not SUPPORTED."
)


def compare_result(
    arm: str, control: Sequence[RunOutcome], treated: Sequence[RunOutcome], direction: Direction
) -> CompareResult:
    """What becomes of an idea. Both arms are the idea's own code, the control with the switch off."""
    if len(control) != len(treated) or len(control) not in (FIRST, MOST):
        raise ValueError(f"{len(control)} runs against {len(treated)}: the gate compares 3 with 3, or 5 with 5")
    n = len(control)
    if failure := failed_text("treated run", treated):
        return CompareResult(arm, n, None, None, Outcome.REVERT, failure)
    if failure := failed_text("control", control):
        return CompareResult(arm, n, None, None, Outcome.INCONCLUSIVE, failure)
    ours, theirs = usable_values(control), usable_values(treated)
    gain = mean(improvements(ours, theirs, direction))
    d = cohens_d(ours, theirs, direction)
    if d is None:
        return CompareResult(arm, n, gain, None, Outcome.INCONCLUSIVE, "the sd is zero, so there is no d")
    outcome, reason = judged_d(d, n)
    return CompareResult(arm, n, gain, d, outcome, reason)


def judged_d(d: float, n: int) -> tuple[Outcome | None, str]:
    if is_at_least(d, PROCEED_FROM):
        return Outcome.PROCEED, f"d {d:.4g} is at least {PROCEED_FROM:g}"
    if not is_at_least(d, REVERT_BELOW):
        return Outcome.REVERT, f"d {d:.4g} is below {REVERT_BELOW:g}"
    between = f"d {d:.4g} is between {REVERT_BELOW:g} and {PROCEED_FROM:g}"
    return (None, f"{between}: two more seeds") if n == FIRST else (Outcome.INCONCLUSIVE, f"{between} with {n} seeds")
