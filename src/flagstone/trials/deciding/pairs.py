"""What a run and a pair of runs count, and what they count if one failed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import isfinite

from flagstone.statistics import Direction, improvements
from flagstone.trials.outcomes import Pair, PairStatus, RunOutcome

LARGEST = 1e150  # the squares of larger values are no floats any more
STATUSES: dict[tuple[bool, bool], PairStatus] = {  # by whether the control and the treated run have a value
    (True, True): "ok",
    (True, False): "treated failed",
    (False, True): "control failed",
    (False, False): "both failed",
}


def value_problem(value: float | None, possible: tuple[float | None, float | None] = (None, None)) -> str:
    """Why a value cannot count, or an empty text. Both ends of the possible range belong to it."""
    low, high = possible
    if value is None:
        return "the run left no value"
    if not isfinite(value) or abs(value) > LARGEST:
        return f"the value {value:g} is not a usable number"
    if low is not None and value < low:
        return f"the value {value:g} is below {low:g}, the least possible one"
    if high is not None and value > high:
        return f"the value {value:g} is above {high:g}, the largest possible one"
    return ""


def usable_value(run: RunOutcome) -> float | None:
    """The value of a run that succeeded, or None."""
    return None if run.status != "ok" or value_problem(run.value) else run.value


def usable_values(runs: Iterable[RunOutcome]) -> list[float]:
    return [value for run in runs if (value := usable_value(run)) is not None]


def failed_text(who: str, runs: Sequence[RunOutcome]) -> str:
    """What is wrong with the first run that has no usable value, or an empty text."""
    failed = next((run for run in runs if usable_value(run) is None), None)
    if failed is None:
        return "" if runs else f"there is no {who}"
    if failed.status == "ok":
        return f"{who} {failed.slot}: {value_problem(failed.value)}"
    return f"{who} {failed.slot}: {failed.status}" + (f" ({failed.reason})" if failed.reason else "")


def matched_runs(control: Sequence[RunOutcome], treated: Sequence[RunOutcome]) -> list[tuple[RunOutcome, RunOutcome]]:
    """The runs of both arms by slot, in the control's order. Different slots are our bug, never a shorter list."""
    slots, others = [run.slot for run in control], [run.slot for run in treated]
    by_slot = dict(zip(others, treated, strict=True))
    if sorted(slots) != sorted(others) or len(by_slot) < len(slots):
        raise ValueError(f"the arms do not have the same slots: {slots} and {others}")
    return [(run, by_slot[run.slot]) for run in control]


def pairs_of(control: Sequence[RunOutcome], treated: Sequence[RunOutcome], direction: Direction) -> tuple[Pair, ...]:
    """The pairs of one look with the improvement that each counts. None is left out because a run failed."""
    pairs = []
    for run, other in matched_runs(control, treated):
        x, y = usable_value(run), usable_value(other)
        pairs.append(Pair(run.slot, x, y, None, STATUSES[x is not None, y is not None], run.seed))
    gains = improvements(*counted_values(pairs, direction), direction)
    # Adding 0 makes -0.0 a plain 0.
    return tuple(replace(pair, improvement=gain + 0.0) for pair, gain in zip(pairs, gains, strict=True))


def counted_values(pairs: Sequence[Pair], direction: Direction) -> tuple[list[float], list[float]]:
    """The values of control and treated arm after the failure rule.

    A treated run that failed counts as the worst value of all these runs, of either arm. A control that failed counts
    as its treated run does: that pair is no improvement, so the control's bad luck never helps the treatment.
    """
    usable = [value for pair in pairs for value in (pair.control, pair.treated) if value is not None]
    # Without any value no pair counts, and the number does not matter.
    worst = (max if direction == "min" else min)(usable, default=0.0)
    treated = [worst if pair.treated is None else pair.treated for pair in pairs]
    control = [y if pair.control is None else pair.control for pair, y in zip(pairs, treated, strict=True)]
    return control, treated
