"""The screen: which ideas are dropped, and which one is confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import pytest
from trial_runs import runs

from flagstone.statistics import Direction
from flagstone.trials.deciding import screen_result, survivor
from flagstone.trials.outcomes import ScreenResult

CONTROL = (4.75, 4.76, 4.77)  # sd .01


def screen(
    treated: Sequence[float | None], control: Sequence[float | None] = CONTROL, direction: Direction = "min"
) -> ScreenResult:
    return screen_result("idea1", runs("control", control, "a"), runs("idea1", treated, "a"), direction)


def test_an_idea_that_is_worse_is_dropped_in_both_directions() -> None:
    worse, better = (4.77, 4.78, 4.79), (4.73, 4.74, 4.75)
    assert screen(worse).is_dropped
    assert not screen(better).is_dropped
    assert screen(better, direction="max").is_dropped
    assert not screen(worse, direction="max").is_dropped
    assert screen(worse).reason == "no improvement on average (-0.02)"


def test_an_idea_without_any_effect_is_dropped() -> None:
    assert screen(CONTROL).is_dropped
    assert screen((4.77, 4.76, 4.75)).is_dropped  # the mean improvement is 0
    assert screen((4.75,) * 3, (4.75,) * 3).is_dropped  # and there is no d


def test_d_of_exactly_two_tenths_survives_and_less_does_not() -> None:
    assert not screen([value - 0.002 for value in CONTROL]).is_dropped
    less = screen([value - 0.00199 for value in CONTROL])
    assert (less.is_dropped, less.reason) == (True, "d 0.199 is below 0.2")


@pytest.mark.parametrize("value", [None, nan])
def test_an_idea_with_a_failed_run_is_dropped_however_good_the_others_are(value: float | None) -> None:
    found = screen((1.0, 1.1, value))
    assert (found.is_dropped, found.mean, found.d) == (True, None, None)
    assert "a3" in found.reason


def test_a_control_that_failed_drops_the_idea_as_well() -> None:
    assert screen((1.0, 1.1, 1.2), (4.75, None, 4.77)).reason == "control a2: crash (exit code 1)"


def test_one_seed_and_arms_without_noise_have_no_d_but_are_judged_by_their_mean() -> None:
    assert (screen((4.7,), (4.75,)).d, screen((4.7,), (4.75,)).is_dropped) == (None, False)
    assert (screen((4.7,) * 3, (4.75,) * 3).d, screen((4.7,) * 3, (4.75,) * 3).is_dropped) == (None, False)


def test_the_survivor_has_the_largest_improvement_and_ties_go_to_the_first() -> None:
    one, two, three = (
        ScreenResult(arm, 3, gain, 1.0, False) for arm, gain in (("idea1", 0.1), ("idea2", 0.3), ("idea3", 0.3))
    )
    assert survivor([one, two, three]) == two
    assert survivor([one, ScreenResult("idea2", 3, 0.9, 0.1, True)]) == one
    assert survivor([]) is None
    assert survivor([ScreenResult("idea1", 3, -0.1, -1.0, True)]) is None
