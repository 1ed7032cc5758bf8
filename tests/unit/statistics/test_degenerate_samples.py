"""Samples that no test can answer: none of them may look like evidence."""

from __future__ import annotations

from math import inf, isfinite, nan, sqrt

import pytest

from flagstone.statistics import (
    cohens_d,
    effect_d,
    effect_dz,
    hedges_g,
    hedges_gz,
    improvements,
    is_at_least,
    is_degenerate,
    ladder_power,
    lower_bound,
    noncentrality,
    off_shift,
    off_tolerance,
    paired_power,
    paired_test,
    pairs_needed,
    sign_flip,
    smallest_p,
    upper_bound,
    welch,
    welch_test,
)

CONTROL = [4.75, 4.76, 4.77]
SHIFTED = [value - 0.01 for value in CONTROL]


@pytest.mark.parametrize("e", [[0.3], [0.2, 0.2, 0.2], [0.0, 0.0], improvements(CONTROL, SHIFTED, "min")])
def test_pairs_without_noise_have_no_test(e: list[float]) -> None:
    test = paired_test(e)
    assert (test.t, test.p, test.p_two_sided, test.ci_low, test.ci_high) == (None,) * 5
    assert (upper_bound(e), lower_bound(e, 0.015)) == (inf, -inf)
    assert effect_dz(e) is None
    assert hedges_gz(e) is None


def test_one_value_has_no_sd_and_no_effect() -> None:
    assert paired_test([0.3]).sd is None
    assert cohens_d([1.0], [2.0, 3.0], "max") is None
    assert hedges_g([1.0], [2.0], "max") is None
    assert welch_test([1.0], [2.0, 3.0], "max") is None
    assert is_degenerate([1.0], [2.0])


def test_groups_without_noise_have_no_effect_and_are_no_evidence() -> None:
    assert cohens_d([1.0, 1.0], [2.0, 2.0], "max") is None
    assert effect_d([0.1 + 0.2, 0.3], [2.0, 2.0], "max") is None
    assert welch([1.0, 1.0], [2.0, 2.0], "max") == 1.0


@pytest.mark.parametrize("offset", [1e3, 7e5])
def test_equal_differences_are_degenerate_although_they_were_rounded(offset: float) -> None:
    control = [offset + value for value in (4.1371, 4.3113, 4.2569, 4.7027)]
    treated = [offset + value for value in (4.1234, 4.2976, 4.2432, 4.6890)]
    assert len(set(improvements(control, treated, "min"))) > 1
    assert is_degenerate(control, treated)
    assert not is_degenerate(control, [offset + value for value in (4.0, 4.1, 4.1, 4.4)])


def test_an_arm_with_one_value_is_degenerate() -> None:
    assert is_degenerate([1.0, 1.0, 1.0], [1.1, 1.2, 1.3])
    assert is_degenerate([1.1, 1.2, 1.3], [1.0, 1.0, 1.0])


@pytest.mark.parametrize("wrong", [[0.1, nan], [0.1, inf], []])
def test_values_that_are_not_finite_are_refused(wrong: list[float]) -> None:
    tests = [paired_test, upper_bound, sign_flip, effect_dz, hedges_gz, lambda e: is_degenerate(e, [1.0, 2.0])]
    tests += [lambda e: cohens_d(e, [1.0, 2.0], "min"), lambda e: welch([1.0, 2.0], e, "min")]
    for test in tests:
        with pytest.raises(ValueError, match=r"finite|at least one"):
            test(wrong)


def test_an_unknown_direction_and_missing_pairs_are_refused() -> None:
    with pytest.raises(KeyError):
        cohens_d([1.0, 2.0], [2.0, 3.5], "maximize")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="shorter"):
        improvements([1.0, 2.0], [1.0], "min")


def test_ties_count_as_extreme_whatever_the_unit_of_the_metric() -> None:
    assert sign_flip([0.0, 0.0, 0.0]) == 1.0
    assert sign_flip([0.1, 0.2, 0.3, -0.3]) == sign_flip([1.0, 2.0, 3.0, -3.0]) == 6 / 16
    assert sign_flip([1e-15, 2e-15, 3e-15]) == 1 / 8
    assert sign_flip([-1.0, -2.0]) == 1.0


def test_more_pairs_than_patterns_can_be_counted_for_are_sampled() -> None:
    e = [0.1 * (-1) ** number + 0.03 * number % 0.2 for number in range(32)]
    sampled = sign_flip([*e, 0.0])  # a zero changes no sum, so the p is the same
    assert sampled == pytest.approx(sign_flip(e), abs=0.005)
    assert sign_flip([1.0 + 0.01 * number for number in range(40)]) > 0


def test_a_threshold_that_is_hit_exactly_is_reached() -> None:
    assert 0.12 - 0.1 < 0.02
    assert is_at_least(0.12 - 0.1, 0.02)
    assert is_at_least(0.015, 0.015)
    assert not is_at_least(0.0199999, 0.02)
    assert is_at_least(cohens_d(CONTROL, SHIFTED, "min") or 0, 1.0)
    assert not is_at_least(-1e-9, 0.0)


@pytest.mark.parametrize(
    ("n", "test", "p"),
    [
        (3, "permutation", 0.05),
        (5, "permutation", 1 / 252),
        (3, "sign_flip", 0.125),
        (5, "sign_flip", 0.03125),
        (8, "sign_flip", 0.00390625),
        (1, "welch", 1.0),
        (2, "paired_t", 0.0),
    ],
)
def test_the_smallest_p_a_test_can_reach(n: int, test: str, p: float) -> None:
    assert smallest_p(n, test) == p  # type: ignore[arg-type]


@pytest.mark.parametrize("freedom", [1, 2, 7, 14, 98, 1000])
@pytest.mark.parametrize("t", [0.0, 1e-6, 0.7, 4.2, 90.0, 9e3, 2e4, 1e9])
def test_every_interval_of_an_effect_is_found_and_holds_it(t: float, freedom: int) -> None:
    low, high = noncentrality(t, freedom, 0.975), noncentrality(t, freedom, 0.025)
    assert isfinite(low) and isfinite(high) and low < t < high
    assert noncentrality(-t, freedom, 0.025) == pytest.approx(-low)


def test_the_interval_of_a_huge_effect_continues_that_of_a_large_one() -> None:
    assert noncentrality(9999, 7, 0.025) / 9999 == pytest.approx(noncentrality(10001, 7, 0.025) / 10001, rel=1e-6)


@pytest.mark.parametrize("n", [2, 4, 8, 30, 500])
def test_power_is_a_probability_that_grows_with_the_effect(n: int) -> None:
    powers = [paired_power(dz, n, sides=2) for dz in (0, 0.1, 0.5, 1, 3, 10, 100, 1e4, 1e6)]
    assert powers[0] == pytest.approx(0.05)
    assert powers == sorted(powers)
    assert powers[-1] == pytest.approx(1)


def test_pairs_needed_for_an_effect() -> None:
    assert pairs_needed(0.5, 1.0, 0.0) == 51
    assert pairs_needed(0.5, 1.0, 0.5) == 27
    assert paired_power(0.5, 26) < 0.8 <= paired_power(0.5, 27)
    assert pairs_needed(5.0, 0.1, 0.99) == 2
    assert pairs_needed(1e-5, 1.0, 0.5) == pytest.approx(6.1826e10, rel=1e-4)  # (1.6449 + 0.8416)² / 1e-10
    for effect, sd, correlation in [(0.0, 1.0, 0.0), (-1.0, 1.0, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 1.0)]:
        with pytest.raises(ValueError, match="cannot size"):
            pairs_needed(effect, sd, correlation)


def test_a_look_that_needs_a_mean_of_the_true_size_accepts_half_the_time() -> None:
    assert ladder_power(2, [(8, 0.05)], minimum=2) == pytest.approx(0.5, abs=0.0025)
    assert ladder_power(1, [(4, 0.015), (8, 0.035)], minimum=0) == ladder_power(1, [(4, 0.015), (8, 0.035)])


def test_looks_have_to_grow() -> None:
    with pytest.raises(ValueError, match="cannot follow"):
        ladder_power(1, [(8, 0.015), (8, 0.035)])
    assert ladder_power(100, [(1, 0.05)]) == 0.0  # one pair has no test


def test_a_ladder_is_the_same_every_time() -> None:
    looks = [(4, 0.015), (8, 0.035)]
    assert ladder_power(0.8, looks) == ladder_power(0.8, looks)


def test_the_off_check_raises_one_false_alarm_in_a_hundred_and_says_what_it_would_see() -> None:
    import numpy as np

    assert off_tolerance(1.0) == pytest.approx(4.6040948713 * sqrt(0.7))
    draw, many = np.random.default_rng(1), 200_000
    baseline, off = draw.standard_normal((many, 5)), draw.standard_normal((many, 2))
    tolerances = off_tolerance(1.0) * baseline.std(axis=1, ddof=1)
    apart = off.mean(axis=1) - baseline.mean(axis=1)
    assert (abs(apart) > tolerances).mean() == pytest.approx(0.01, abs=0.001)
    assert (abs(apart + off_shift(1.0)) > tolerances).mean() == pytest.approx(0.8, abs=0.004)
