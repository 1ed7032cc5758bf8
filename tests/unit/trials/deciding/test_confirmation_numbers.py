"""The numbers that are reported for a confirmed arm."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from trial_runs import CONTROL, TREATED, look, runs

from flagstone.errors import FlagstoneError
from flagstone.statistics import Direction
from flagstone.trials.deciding import confirmation, effect_in_units
from flagstone.trials.outcomes import LookResult

Values = tuple[float | None, ...]

WORKED = {
    "n": 8,
    "mean": 0.0278625,
    "sd": 0.0187330066,
    "ci_low": 0.0122013146,
    "ci_high": 0.0435236854,
    "upper": 0.0404105177,
    "p": 0.0020006685,
    "alpha_spent": 0.035,
    "g": 1.3207321215,
    "g_z": 1.3210668241,
    "sign_flip": 1 / 256,
    "welch": 0.0097986593,
}
WORKED_ENDS = {"g_low": 0.25688887, "g_high": 2.34782037, "g_z_low": 0.38594503, "g_z_high": 2.21673044}
NOT_DEFINED = ("ci_low", "ci_high", "bound", "upper", "p", "d", "g", "d_z", "g_z", "sign_flip", "welch")


def numbers(last: LookResult, direction: Direction) -> dict[str, float]:
    found = asdict(confirmation(last, direction))
    del found["pairs"]
    return found


def test_the_worked_trial_to_the_last_printed_digit() -> None:
    found = asdict(confirmation(look(CONTROL, TREATED), "min"))
    assert {name: found[name] for name in WORKED} == pytest.approx(WORKED, rel=0, abs=6e-11)
    assert {name: found[name] for name in WORKED_ENDS} == pytest.approx(WORKED_ENDS, rel=0, abs=6e-9)
    assert found["g"] == pytest.approx(found["d"] * 0.94528773, rel=1e-8)  # J of 14
    assert found["d_z"] == pytest.approx(0.0278625 / 0.0187330066, rel=1e-8)


def test_the_bound_is_above_zero_exactly_if_the_look_has_a_p_below_its_alpha() -> None:
    p = look(CONTROL, TREATED).p
    assert p is not None
    for alpha, is_above in ((p * 1.001, True), (p * 0.999, False)):
        bound = confirmation(look(CONTROL, TREATED, alpha=alpha), "min").bound
        assert bound is not None
        assert (bound > 0) is is_above


def test_improvement_is_positive_in_every_number_of_either_direction() -> None:
    ours = numbers(look(CONTROL, TREATED), "min")
    turned = look([-value for value in CONTROL], [-value for value in TREATED], direction="max")
    assert ours == pytest.approx(numbers(turned, "max"))
    assert min(ours[name] for name in ("mean", "d", "g", "d_z", "g_z", "bound")) > 0


def test_failed_runs_count_in_every_number_by_the_same_rule() -> None:
    without_third = (*TREATED[:2], None, *TREATED[3:])
    with_worst = (*TREATED[:2], 0.7124, *TREATED[3:])
    assert numbers(look(CONTROL, without_third), "min") == numbers(look(CONTROL, with_worst), "min")
    without_fifth = (*CONTROL[:4], None, *CONTROL[5:])
    equal = (*CONTROL[:4], TREATED[4], *CONTROL[5:])
    assert numbers(look(without_fifth, TREATED), "min") == numbers(look(equal, TREATED), "min")


@pytest.mark.parametrize(
    ("control", "treated"),
    [
        ((0.7,), (0.6,)),
        ((0.7, 0.7, 0.7, 0.7), (0.6, 0.6, 0.6, 0.6)),
        ((0.7, 0.8, 0.9, 0.6), (None, None, None, 0.5)),
        ((None,) * 4, (None,) * 4),
    ],
)
def test_what_is_not_defined_is_not_printed(
    control: tuple[float | None, ...], treated: tuple[float | None, ...]
) -> None:
    found = asdict(confirmation(look(control, treated), "min"))
    assert [found[name] for name in NOT_DEFINED] == [None] * len(NOT_DEFINED)
    assert found["n"] == len(control)
    assert found["sd"] is None or len(control) > 1


def test_two_pairs_have_no_unbiased_effect_but_the_rest() -> None:
    found = confirmation(look((0.7, 0.8), (0.6, 0.65)), "min")
    assert found.d_z is not None
    assert found.g_z is None


def test_wall_times_are_means_of_each_arm() -> None:
    control, treated = runs("control", (*CONTROL[:7], None)), runs("treated", TREATED)
    found = confirmation(look(CONTROL, TREATED), "min", [*control, *treated, *runs("idea2", TREATED)])
    assert (found.wall_control_s, found.wall_treated_s) == (pytest.approx(15 / 8), 2.0)
    assert confirmation(look(CONTROL, TREATED), "min").wall_control_s == 0.0


def test_a_minimum_effect_in_sd_becomes_units_of_the_metric() -> None:
    assert effect_in_units(0.02, None) == 0.02
    assert effect_in_units("0.5 sd", 0.004) == 0.002
    assert effect_in_units("2sd", 0.5) == 1.0


@pytest.mark.parametrize("sd", [0.0, None])
def test_a_baseline_without_an_sd_gives_no_minimum_effect(sd: float | None) -> None:
    with pytest.raises(FlagstoneError, match="the baseline has none"):
        effect_in_units("0.5 sd", sd)
