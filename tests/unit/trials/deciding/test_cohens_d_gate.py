"""The gate `cohens_d`: 3 against 3, then 5 against 5."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import pytest
from trial_runs import runs

from flagstone.statistics import Direction
from flagstone.trials.deciding import COHENS_D_WARNING, compare_result
from flagstone.trials.outcomes import CompareResult, Outcome

THREE = (4.75, 4.76, 4.77)  # sd .01
FIVE = (4.75, 4.76, 4.77, 4.74, 4.78)  # sd .0158


def compare(
    treated: Sequence[float | None], control: Sequence[float | None] = THREE, direction: Direction = "min"
) -> CompareResult:
    return compare_result("idea1", runs("idea1-off", control, "a"), runs("idea1", treated, "a"), direction)


def shifted(control: Sequence[float], gain: float) -> list[float]:
    return [value - gain for value in control]


@pytest.mark.parametrize(
    ("gain", "outcome"),
    [
        (-0.02, Outcome.REVERT),
        (0.0, Outcome.REVERT),
        (0.0019999, Outcome.REVERT),
        (0.002, None),  # d is exactly .2
        (0.0049999, None),
        (0.005, Outcome.PROCEED),  # d is exactly .5
        (0.02, Outcome.PROCEED),
    ],
)
def test_three_against_three_reverts_asks_for_more_or_proceeds(gain: float, outcome: Outcome | None) -> None:
    assert compare(shifted(THREE, gain)).outcome == outcome


@pytest.mark.parametrize(
    ("d", "outcome"),
    [
        (0.1999, Outcome.REVERT),
        (0.2, Outcome.INCONCLUSIVE),
        (0.4999, Outcome.INCONCLUSIVE),
        (0.5, Outcome.PROCEED),
    ],
)
def test_five_against_five_is_the_end(d: float, outcome: Outcome) -> None:
    found = compare(shifted(FIVE, d * 0.00025**0.5), FIVE)
    assert (found.outcome, found.n) == (outcome, 5)
    assert found.d == pytest.approx(d)


@pytest.mark.parametrize("size", [0.001, 0.1, 0.67, 4.75, 100.0, 12345.0])
@pytest.mark.parametrize("direction", ["min", "max"])
def test_a_threshold_that_is_hit_exactly_is_reached_whatever_the_last_digits_are(
    size: float, direction: Direction
) -> None:
    sign = 1 if direction == "min" else -1
    for thousandths in range(1, 200):
        step = size * thousandths / 1000
        control = [size - step, size, size + step]
        at_two_tenths, at_a_half = ([value - sign * d * step for value in control] for d in (0.2, 0.5))
        assert compare(at_two_tenths, control, direction).outcome is None
        assert compare(at_a_half, control, direction).outcome == Outcome.PROCEED


def test_more_is_better_for_max() -> None:
    assert compare(shifted(THREE, -0.02), direction="max").outcome == Outcome.PROCEED
    assert compare(shifted(THREE, 0.02), direction="max").outcome == Outcome.REVERT


@pytest.mark.parametrize("value", [None, nan])
def test_a_treated_run_that_failed_reverts_and_a_control_that_failed_decides_nothing(value: float | None) -> None:
    assert compare((4.0, 4.1, value)).outcome == Outcome.REVERT
    assert compare((4.0, 4.1, 4.2), (4.75, value, 4.77)).outcome == Outcome.INCONCLUSIVE
    assert compare((4.0, value, 4.2), (4.75, value, 4.77)).outcome == Outcome.REVERT
    assert compare((4.0, 4.1, value)).d is None


def test_arms_without_noise_have_no_d_and_decide_nothing() -> None:
    found = compare((4.0, 4.0, 4.0), (4.75, 4.75, 4.75))
    assert (found.outcome, found.d) == (Outcome.INCONCLUSIVE, None)
    assert compare((4.75, 4.75, 4.75), (4.75, 4.75, 4.75)).outcome == Outcome.INCONCLUSIVE


def test_the_spread_of_both_arms_counts() -> None:
    found = compare((4.70, 4.75, 4.80))  # sd .01 and .05: the mean square root is .0361
    assert found.d == pytest.approx(0.01 / 0.0013**0.5)


def test_only_three_and_five_runs_are_compared() -> None:
    for n in (1, 2, 4):
        with pytest.raises(ValueError, match="3 with 3, or 5 with 5"):
            compare(FIVE[:n], FIVE[:n])
    with pytest.raises(ValueError, match="3 with 3, or 5 with 5"):
        compare(THREE, FIVE)


def test_the_gate_says_what_it_is_worth() -> None:
    assert "32 %" in COHENS_D_WARNING
    assert "55 %" in COHENS_D_WARNING
    assert "\n" not in COHENS_D_WARNING
