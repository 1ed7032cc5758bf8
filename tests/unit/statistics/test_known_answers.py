"""What published examples, R and tables of power answer, to the digits they print."""

from __future__ import annotations

import pytest

from flagstone.statistics import (
    bias_factor,
    cohens_d,
    effect_d,
    effect_dz,
    group_size,
    hedges_g,
    hedges_gz,
    improvements,
    ladder_power,
    lower_bound,
    noncentrality,
    paired_power,
    paired_test,
    sign_flip,
    t_cdf,
    t_quantile,
    two_sample_power,
    upper_bound,
    welch,
    welch_test,
)
from flagstone.statistics.effect import Effect

# Student (1908): hours of sleep gained with two drugs
FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
# Motor Trend (1974): miles per gallon, by transmission
MANUAL = [21.0, 21.0, 22.8, 32.4, 30.4, 33.9, 27.3, 26.0, 30.4, 15.8, 19.7, 15.0, 21.4]
AUTOMATIC = [21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3, 15.2, 10.4, 10.4, 14.7, 21.5, 15.5, 15.2]
AUTOMATIC += [13.3, 19.2]
# Darwin's maize (Fisher 1935): crossed minus self-fertilised, in eighths of an inch
MAIZE = [49.0, -67.0, 8.0, 16.0, 6.0, 23.0, 28.0, 41.0, 14.0, 29.0, 56.0, 24.0, 75.0, 60.0, -48.0]
# A trial of eight pairs whose metric is to be small
CONTROL = [0.6716, 0.6402, 0.7013, 0.6588, 0.6899, 0.6471, 0.7124, 0.6650]
TREATED = [0.6331, 0.6298, 0.6542, 0.6490, 0.6467, 0.6352, 0.6610, 0.6544]
GAINS = improvements(CONTROL, TREATED, "min")


def close(value: float, digits: int = 10) -> object:
    return pytest.approx(value, rel=0, abs=0.6 * 10**-digits)


def ends(effect: Effect | None) -> tuple[float, float]:
    assert effect is not None
    return effect.low, effect.high


def test_sleep_as_pairs() -> None:
    test = paired_test(improvements(SECOND, FIRST, "max"))
    assert test.t == pytest.approx(-4.062127683382037, rel=1e-13)
    assert test.p_two_sided == pytest.approx(0.002832890197384, rel=1e-12)
    assert (test.ci_low, test.ci_high) == (close(-2.4598857633), close(-0.7001142367))
    assert test.p == pytest.approx(1 - 0.002832890197384 / 2)
    dz = effect_dz(improvements(SECOND, FIRST, "max"))
    assert dz and dz.value == close(-1.2845575626)
    assert ends(dz) == (close(-2.1180165140), close(-0.4146277564))


def test_sleep_as_two_groups() -> None:
    test = welch_test(SECOND, FIRST, "max")
    assert test
    assert test.t == pytest.approx(-1.8608134674868526, rel=1e-13)
    assert test.freedom == pytest.approx(17.776473516178488, rel=1e-13)
    assert test.p_two_sided == pytest.approx(0.0793941401873583, rel=1e-12)
    d, g = effect_d(SECOND, FIRST, "max"), hedges_g(SECOND, FIRST, "max")
    assert d and d.value == close(-0.8321810814)
    assert ends(d) == (close(-1.7388168991), close(0.0954503982))
    assert g and g.value == close(-0.7969352392)


def test_mtcars_has_groups_of_unequal_size() -> None:
    d, g = effect_d(MANUAL, AUTOMATIC, "max"), hedges_g(MANUAL, AUTOMATIC, "max")
    assert d and d.value == close(-1.4779470958)
    assert ends(d) == (close(-2.2659732804), close(-0.6705683857))
    assert g and g.value == close(-1.4406354024)
    assert ends(g) == (close(-2.2087673760), close(-0.6536394699))
    test = welch_test(MANUAL, AUTOMATIC, "max")
    assert test and (test.t, test.freedom) == (close(-3.767123145, 9), close(18.33225164, 8))
    assert test.p_two_sided == close(0.001373638333, 12)


@pytest.mark.parametrize(
    ("control", "t", "p"),
    [
        ([1, 2, 3], -0.686495127355726265, 0.53619490753126686),
        ([1, 2, 3, 4], -0.210866331595072315, 0.84354139131608252),
    ],
)
def test_welch_answers_as_r(control: list[float], t: float, p: float) -> None:
    test = welch_test(control, [1.1, 2.9, 4.2], "min")
    assert test and (test.t, test.p_two_sided) == (pytest.approx(t, rel=1e-12), pytest.approx(p, rel=1e-12))


def test_darwins_maize() -> None:
    assert sign_flip(MAIZE) == 863 / 32768
    test = paired_test(MAIZE)
    assert (test.t, test.p_two_sided) == (close(2.1479874613), close(0.0497029440))


def test_the_interval_of_a_noncentrality_is_that_of_mbess() -> None:
    assert noncentrality(1.5, 98, 0.975) == close(-0.4749333, 7)
    assert noncentrality(1.5, 98, 0.025) == close(3.4673726, 7)


def test_power_is_that_of_r() -> None:
    assert group_size(0.2, sides=2) == close(393.4057, 4)
    assert group_size(0.5, sides=2) == close(63.76561, 5)
    assert group_size(0.8, sides=2) == close(25.52457, 5)
    assert two_sample_power(2, 3) == close(0.6452021, 7)
    assert two_sample_power(2, 5) == close(0.8915828, 7)
    assert paired_power(1, 8) == close(0.8150194, 7)


@pytest.mark.parametrize(
    ("freedom", "factor"), [(2, 0.56418958), (4, 0.79788456), (8, 0.90270333), (14, 0.94528773), (30, 0.97475438)]
)
def test_the_bias_factor_is_exact(freedom: int, factor: float) -> None:
    assert bias_factor(freedom) == close(factor, 8)


@pytest.mark.parametrize(
    ("dz", "power"), [(0, 0.045), (0.5, 0.307), (0.71, 0.499), (1, 0.760), (1.06, 0.80), (1.41, 0.956), (2, 0.999)]
)
def test_the_power_of_two_looks(dz: float, power: float) -> None:
    assert ladder_power(dz, [(4, 0.015), (8, 0.035)]) == pytest.approx(power, abs=0.003)


def test_one_look_has_the_power_of_its_test() -> None:
    assert ladder_power(1, [(8, 0.05)]) == pytest.approx(0.8150194, abs=0.0025)
    assert ladder_power(0.7, [(2, 0.0), (3, 0.0), (20, 0.05)]) == pytest.approx(paired_power(0.7, 20), abs=0.0025)


def test_the_first_look_of_a_worked_trial_goes_on() -> None:
    test = paired_test(GAINS[:4])
    assert (test.mean, test.p) == (close(0.02645), close(0.0352365826))
    assert lower_bound(GAINS[:4], 0.015) < 0


def test_the_second_look_of_a_worked_trial() -> None:
    test = paired_test(GAINS)
    assert (test.n, test.mean, test.sd) == (8, close(0.0278625), close(0.0187330066))
    assert (test.t, test.p) == (close(4.2068554455), close(0.0020006685))
    assert (test.ci_low, test.ci_high) == (close(0.0122013146), close(0.0435236854))
    assert upper_bound(GAINS) == close(0.0404105177)
    assert lower_bound(GAINS, 0.035) > 0
    assert lower_bound(GAINS, test.p or 0) == close(0)
    g, gz = hedges_g(CONTROL, TREATED, "min"), hedges_gz(GAINS)
    assert g and g.value == close(1.3207321215)
    assert ends(g) == (close(0.25688887, 8), close(2.34782037, 8))
    assert gz and gz.value == close(1.3210668241)
    assert ends(gz) == (close(0.38594503, 8), close(2.21673044, 8))
    assert sign_flip(GAINS) == 1 / 256
    assert welch(CONTROL, TREATED, "min") == close(0.0097986593)
    assert cohens_d(CONTROL, TREATED, "min") == -(cohens_d(CONTROL, TREATED, "max") or 0)


def test_the_worked_trial_with_a_failed_treated_run() -> None:
    test = paired_test([*GAINS[:2], -0.0111, *GAINS[3:]])
    assert (test.mean, test.p) == (close(0.0205875), close(0.0146362875))


def test_the_worked_trial_with_a_failed_control_run() -> None:
    test = paired_test([*GAINS[:4], 0.0, *GAINS[5:]])
    assert (test.mean, test.p) == (close(0.0224625), close(0.0075629323))


def test_quantile_and_probability_of_t_are_inverse_and_those_of_tables() -> None:
    assert t_quantile(0.995, 4) == close(4.604095, 6)
    assert t_quantile(0.95, 7) == close(1.894579, 6)
    assert t_cdf(t_quantile(0.985, 3), 3) == close(0.985, 12)
