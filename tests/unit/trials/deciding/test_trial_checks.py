"""The checks of an idea: off, on, size and scale."""

from __future__ import annotations

from math import nan
from random import Random

import pytest
from trial_runs import run, runs

from flagstone.trials.deciding import (
    is_deterministic,
    off_check,
    on_check,
    scale_check,
    scaled_runs,
    sigma_check,
    size_check,
)
from flagstone.trials.deciding.checks import is_moved
from flagstone.trials.outcomes import RunOutcome

NOISY = (0.670, 0.672, 0.668, 0.671, 0.669)  # sd .00158


def repeats(values: tuple[float | None, ...], arm: str = "control") -> list[RunOutcome]:
    return [run(arm, "a1" if number == 1 else f"a1r{number}", value) for number, value in enumerate(values, 1)]


def test_two_equal_runs_are_deterministic_and_a_failed_one_never_is() -> None:
    assert is_deterministic(run("control", "a1", 0.67), run("control", "a1r2", 0.67))
    assert not is_deterministic(run("control", "a1", 0.67), run("control", "a1r2", 0.67 + 1e-16))
    assert not is_deterministic(run("control", "a1", None), run("control", "a1r2", None))


def test_deterministic_code_must_be_equal_to_the_last_bit_with_the_switch_off() -> None:
    baseline = repeats((0.67, 0.67))
    assert off_check(baseline, repeats((0.67,))).is_passed
    wrong = off_check(baseline, repeats((0.6700000000000002,)))
    assert not wrong.is_passed
    assert "0.6700000000000002" in wrong.reason
    assert wrong.facts["deterministic"] is True


def test_noisy_code_may_differ_by_what_its_repeats_allow_and_says_which_shift_it_sees() -> None:
    # t(.995, 4) = 4.604095, sd = .00158114, √(1/5 + 1/2) = .83666: together .00609064
    inside = off_check(repeats(NOISY), repeats((0.676, 0.6761)))
    outside = off_check(repeats(NOISY), repeats((0.6761, 0.6761)))
    assert inside.facts["tolerance"] == pytest.approx(0.00609064, rel=1e-5)
    assert (inside.is_passed, outside.is_passed) == (True, False)
    assert "up to 0.006091 is noise" in inside.reason
    assert "a true shift of 0.007777 is seen in four of five cases" in inside.reason
    assert off_check(repeats(NOISY), repeats((0.664, 0.6639))).is_passed  # to both sides
    assert not off_check(repeats(NOISY), repeats((0.6639, 0.6639))).is_passed


def test_noisy_code_needs_all_its_repeats() -> None:
    with pytest.raises(ValueError, match="five runs"):
        off_check(repeats(NOISY[:4]), repeats((0.67, 0.67)))
    with pytest.raises(ValueError, match="five runs"):
        off_check(repeats(NOISY), repeats((0.67,)))


def test_identical_noisy_code_fails_the_check_in_one_case_of_a_hundred() -> None:
    random = Random(1)
    draws = [tuple(random.gauss(1, 0.1) for _ in range(7)) for _ in range(1000)]
    failed = sum(not off_check(repeats(each[:5]), repeats(each[5:])).is_passed for each in draws)
    assert 2 <= failed <= 21  # 10 expected, ± 3.5 sd


def test_a_failed_run_with_the_switch_off_fails_the_check() -> None:
    found = off_check(repeats((0.67, 0.67)), repeats((None,), "idea1-off"))
    assert (found.is_passed, found.reason) == (False, "run with the switch off a1: crash (exit code 1)")


def test_a_flag_that_does_nothing_fails() -> None:
    found = on_check(repeats((0.67, 0.67)), run("idea1", "a1", 0.67), "loss")
    assert not found.is_passed
    assert "`observe` can name" in found.reason


def test_a_metric_that_moves_is_enough_and_so_is_a_value_that_the_plan_observes() -> None:
    control = [run("control", "a1", 0.67, params=100.0), run("control", "a1r2", 0.67, params=100.0)]
    assert on_check(control, run("idea1", "a1", 0.68, params=100.0), "loss", ("params",)).facts["moved"] == "loss"
    assert on_check(control, run("idea1", "a1", 0.67, params=101.0), "loss", ("params",)).facts["moved"] == "params"
    assert not on_check(control, run("idea1", "a1", 0.67, params=100.0), "loss", ("params",)).is_passed


def test_noise_alone_does_not_move_a_value() -> None:
    control = repeats(NOISY)  # its repeats differ from the first by up to .002
    assert not on_check(control, run("idea1", "a1", 0.6719), "loss").is_passed
    assert on_check(control, run("idea1", "a1", 0.6721), "loss").is_passed
    assert on_check(control, run("idea1", "a1", 0.6679), "loss").is_passed


@pytest.mark.parametrize(("effect", "share"), [(0.0, 0.2), (2.0, 0.55)])
def test_one_run_of_noisy_code_says_little_about_its_switch(effect: float, share: float) -> None:
    random = Random(3)
    draws = [([random.gauss(0, 1) for _ in range(5)], random.gauss(effect, 1)) for _ in range(4000)]
    passed = sum(on_check(repeats(tuple(each)), run("idea1", "a1", value), "loss").is_passed for each, value in draws)
    assert passed / len(draws) == pytest.approx(share, abs=0.03)  # ± 4 sd


@pytest.mark.parametrize(
    ("control", "treated"), [((1.0, None), 2.0), ((1.0, nan), 2.0), ((1.0, 1.0), None), ((1.0, 1.0), nan)]
)
def test_what_was_not_seen_did_not_move(control: tuple[float | None, ...], treated: float | None) -> None:
    assert not is_moved(control, treated)


def test_a_treated_run_that_failed_on_the_first_seed_fails_the_check() -> None:
    assert (
        on_check(repeats((0.67, 0.67)), run("idea1", "a1", None), "loss").reason
        == "treated run a1: crash (exit code 1)"
    )


def test_a_diff_may_have_as_many_lines_as_the_plan_allows() -> None:
    assert size_check(200, 200).is_passed
    assert not size_check(201, 200).is_passed
    assert size_check(201, 200).reason == "the diff has 201 lines; `largest_change` allows 200"


def test_an_arm_that_computes_more_is_invalid_and_so_is_one_that_does_not_say() -> None:
    assert scale_check(["train_tokens"], {"train_tokens": 1000}, {"train_tokens": 1000.0}).is_passed
    more = scale_check(["train_tokens"], {"train_tokens": 1000}, {"train_tokens": 2000})
    assert more.reason == "more compute: train_tokens is 1000 in the control and 2000 in the treated arm"
    missing = scale_check(["train_tokens"], {}, {})
    assert missing.reason == "neither arm reports train_tokens, so equal compute is not shown"
    assert not scale_check(["train_tokens"], {"train_tokens": 2000}, {"train_tokens": 1000}).is_passed
    assert not scale_check(["train_tokens"], {"train_tokens": nan}, {"train_tokens": nan}).is_passed
    assert "the treated arm does not report steps" in scale_check(["steps"], {"steps": 1}, {}).reason
    assert "the control does not report steps" in scale_check(["steps"], {}, {"steps": 1}).reason
    assert "neither arm reports steps" in scale_check(["steps"], {}, {}).reason
    assert not scale_check(["steps"], {}, {}).is_passed


def test_a_treated_run_with_more_compute_than_the_control_on_its_seed_is_invalid() -> None:
    control = [run("control", f"b{n}", 0.6, tokens=1000.0) for n in (1, 2, 3)] + [run("control", "b4", None)]
    treated = [
        run("treated", "b1", 0.1, tokens=1000.0),
        run("treated", "b2", 0.1, tokens=2000.0),
        run("treated", "b3", 0.1),
        run("treated", "b4", 0.1, tokens=2000.0),  # its control failed: there is nothing to compare with
    ]
    found = scaled_runs(control, treated, ["tokens", "--layers"])
    assert [each.status for each in found] == ["ok", "invalid", "invalid", "ok"]
    assert found[1].reason == "more compute: tokens is 1000.0 in the control and 2000.0 in the treated arm"
    assert scaled_runs(control, treated, []) == tuple(treated)


BASELINE = runs("control", (4.75, 4.76, 4.77, 4.74, 4.73), "a")  # sd .0158


def test_the_rule_of_one_sd_fails_only_code_that_is_not_bit_equal() -> None:
    inside = sigma_check(BASELINE, run("idea1-off", "a1", 4.76))
    assert (inside.is_passed, inside.facts["within_1_sd"], inside.facts["bit_equal"]) == (True, True, False)
    assert not sigma_check(BASELINE, run("idea1-off", "a1", 4.78)).is_passed
    equal = sigma_check(BASELINE, run("idea1-off", "a3", 4.77))  # 1.26 sd from the mean, but the very same value
    assert (equal.is_passed, equal.facts["within_1_sd"], equal.facts["bit_equal"]) == (True, False, True)
    assert "1.26 sd from the baseline's mean" in equal.reason


def test_the_rule_of_one_sd_rejects_identical_code_a_third_of_the_time_and_fails_none_of_it() -> None:
    random = Random(2)
    draws = [[random.gauss(0, 1) for _ in range(5)] for _ in range(4000)]
    found = [sigma_check(runs("control", each, "a"), run("off", "a1", each[0])) for each in draws]
    rejected = sum(not each.facts["within_1_sd"] for each in found)
    assert rejected / len(found) == pytest.approx(0.328, abs=0.03)  # ± 4 sd
    assert all(each.is_passed for each in found)


def test_one_value_has_no_sd_to_be_within() -> None:
    found = sigma_check(BASELINE[:1], run("off", "a1", 4.76))
    assert (found.is_passed, found.facts["baseline_sd"]) == (False, None)
