"""What a run and a pair count if something failed."""

from __future__ import annotations

from math import inf, nan

import pytest
from trial_runs import CONTROL, TREATED, runs

from flagstone.statistics import Direction
from flagstone.trials.deciding import pairs_of, value_problem
from flagstone.trials.outcomes import RunOutcome


def gains(*arms: list[float | None], direction: Direction = "min") -> list[float | None]:
    control, treated = arms
    return [pair.improvement for pair in pairs_of(runs("control", control), runs("treated", treated), direction)]


def test_less_is_better_for_min_and_more_for_max() -> None:
    assert gains([3.0], [1.0], direction="min") == [2.0]
    assert gains([3.0], [1.0], direction="max") == [-2.0]


def test_a_treated_run_that_failed_counts_as_the_worst_value_of_either_arm() -> None:
    assert gains([1.0, 5.0, 2.0], [None, 3.0, 1.0]) == [-4.0, 2.0, 1.0]  # the control's 5 is the worst
    assert gains([1.0, 2.0, 2.0], [None, 6.0, 1.0]) == [-5.0, -4.0, 1.0]  # the treated arm's 6 is
    assert gains([1.0, 5.0, 2.0], [None, 3.0, 4.0], direction="max") == [0.0, -2.0, 2.0]  # 1 is the worst


def test_the_worst_value_is_that_of_the_look_and_not_of_later_pairs() -> None:
    first = pairs_of(runs("control", [1.0, 2.0]), runs("treated", [None, 1.0]), "min")
    both = pairs_of(runs("control", [1.0, 2.0, 9.0]), runs("treated", [None, 1.0, 1.0]), "min")
    assert (first[0].improvement, both[0].improvement) == (-1.0, -8.0)


def test_a_control_run_that_failed_makes_no_improvement() -> None:
    found = pairs_of(runs("control", [None, 5.0]), runs("treated", [1.0, 3.0]), "min")
    assert [(pair.improvement, pair.status) for pair in found] == [(0.0, "control failed"), (2.0, "ok")]
    assert str(found[0].improvement) == "0.0"  # never "-0.0" in a record


def test_a_pair_in_which_both_failed_makes_no_improvement() -> None:
    found = pairs_of(runs("control", [None, 5.0]), runs("treated", [None, 3.0]), "min")
    assert [(pair.improvement, pair.status) for pair in found] == [(0.0, "both failed"), (2.0, "ok")]
    assert gains([None, None], [None, None]) == [0.0, 0.0]


def test_no_pair_is_dropped_and_a_failed_value_stays_unknown() -> None:
    found = pairs_of(runs("control", [*CONTROL[:7], None]), runs("treated", [None, *TREATED[1:]]), "min")
    assert [pair.slot for pair in found] == [f"b{number}" for number in range(1, 9)]
    assert (found[0].treated, found[7].control) == (None, None)


@pytest.mark.parametrize("value", [nan, inf, -inf, 1e200, None])
def test_a_value_that_is_no_usable_number_is_a_failure_although_its_run_is_ok(value: float | None) -> None:
    control = runs("control", [5.0, 2.0])
    treated = [RunOutcome("treated", "b1", "ok", value), RunOutcome("treated", "b2", "ok", 1.0)]
    found = pairs_of(control, treated, "min")
    assert (found[0].status, found[0].improvement) == ("treated failed", 0.0)


def test_a_value_of_a_run_that_is_not_ok_never_counts() -> None:
    treated = [RunOutcome("treated", "b1", "invalid", 0.001), RunOutcome("treated", "b2", "ok", 1.0)]
    assert pairs_of(runs("control", [5.0, 2.0]), treated, "min")[0].treated is None


def test_pairs_are_matched_by_slot_and_an_arm_that_lacks_one_is_an_error() -> None:
    control, treated = runs("control", [5.0, 2.0]), runs("treated", [3.0, 1.0])
    assert pairs_of(control, treated[::-1], "min") == pairs_of(control, treated, "min")
    for wrong in (treated[:1], [*treated, treated[0]], runs("treated", [3.0, 1.0], "a")):
        with pytest.raises(ValueError, match="same slots"):
            pairs_of(control, wrong, "min")


def test_a_value_outside_the_possible_range_says_so_and_the_ends_are_possible() -> None:
    assert value_problem(0.0, (0.0, 1.0)) == value_problem(1.0, (0.0, 1.0)) == value_problem(5.0, (0.0, None)) == ""
    assert value_problem(-0.1, (0.0, 1.0)) == "the value -0.1 is below 0, the least possible one"
    assert value_problem(1.5, (None, 1.0)) == "the value 1.5 is above 1, the largest possible one"
    assert value_problem(None) == "the run left no value"
    assert value_problem(nan) == "the value nan is not a usable number"
