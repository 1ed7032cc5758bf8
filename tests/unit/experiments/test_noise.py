"""One test at a time: when it accepts, rejects or asks for more, and how α is spent over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import comb, inf, nan
from random import Random

import pytest

from flagstone.experiments.deciding import noise
from flagstone.experiments.deciding.noise import Judgement, Pairs, looks_better, varies
from flagstone.experiments.deciding.spending import schedule, share
from flagstone.plans.spec import NoiseRule
from flagstone.statistics.gain import least_chance
from flagstone.statistics.student import student_tail

RULE = NoiseRule()
SLEEP_FIRST = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]  # Student 1908; R's datasets::sleep
SLEEP_SECOND = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


def judge(
    ours: Sequence[float],
    theirs: Sequence[float],
    direction: str,
    test: int,
    rule: NoiseRule,
    known: Sequence[float] = (),
) -> Judgement:
    return noise.judge(Pairs(ours, theirs, direction), test, rule, known)


def draws(seed: int, count: int, middle: float = 0.0, sd: float = 1.0) -> list[float]:
    random = Random(seed)
    return [random.gauss(middle, sd) for _ in range(count)]


@pytest.mark.parametrize(
    ("t", "freedom", "tail"),
    [
        (4.062127683382037, 9, 0.002832890197384 / 2),  # R, ?t.test: sleep, paired
        (1.8608134674868526, 17.776473516178488, 0.0793941401873583 / 2),  # R, ?t.test: sleep, Welch
        (3.767123145, 18.33225164, 0.001373638333 / 2),  # R: mtcars, mpg by am, Welch
        (2.1479874613, 14, 0.0497029440 / 2),  # Fisher 1935: Darwin's maize
        (12.706204736432095, 1, 0.025),  # any table of t
        (1.6448536269514722, 1e7, 0.05),  # the normal distribution
        (0.0, 3, 0.5),
        (inf, 3, 0.0),
    ],
)
def test_the_tail_of_t_is_what_the_books_say(t: float, freedom: float, tail: float) -> None:
    assert student_tail(t, freedom) == pytest.approx(tail, rel=1e-6)
    assert student_tail(-t, freedom) == pytest.approx(1 - tail, rel=1e-6)


def test_the_evidence_of_ten_pairs_is_twice_the_better_of_both_tests() -> None:
    found = judge(SLEEP_SECOND, SLEEP_FIRST, "max", 1, RULE)
    assert found.evidence == pytest.approx(0.002832890197384, rel=1e-9)  # R: the paired two-sided p
    assert found.gain == pytest.approx(1.58)
    assert found.reason.startswith("gain 1.58 ± 0.39 over 10 pairs, p = 0.0028 (needs < 0.0004)")


def test_a_shift_common_to_both_values_of_a_pair_does_not_hide_the_gain() -> None:
    shift = draws(1, 14, sd=10.0)
    candidate = [each + step for each, step in zip(draws(2, 14, 3.0), shift, strict=True)]
    reference = [each + step for each, step in zip(draws(3, 14), shift, strict=True)]
    assert judge(candidate, reference, "max", 1, RULE).stance == "accept"


def test_the_shares_of_all_tests_sum_to_alpha_and_each_is_smaller_than_the_one_before() -> None:
    shares = [share(RULE.alpha, test) for test in range(1, 200_001)]
    assert 0.039 < sum(shares) <= RULE.alpha
    assert all(after < before for before, after in pairwise(shares))
    assert shares[-1] > 0
    assert share(0.01, 3) == pytest.approx(shares[2] / 5)


@pytest.mark.parametrize("test", [1, 2, 50, 200, 5000, 10**6])
@pytest.mark.parametrize("most", [7, 12, 30, 100])
def test_the_looks_of_a_test_spend_its_share_and_no_more(test: int, most: int) -> None:
    found = schedule(0.05, most, test)
    assert found.level * max(1, len(found.looks)) == pytest.approx(share(RULE.alpha, test), rel=1e-9)
    assert all(least_chance(look) <= found.level for look in found.looks)
    assert not found.looks or found.looks[-1] == most


def test_no_count_of_pairs_is_better_proof_than_the_number_of_ways_to_deal_them() -> None:
    for pairs in range(2, 20):
        found = judge([2.0] * pairs, [1.0] * pairs, "max", 1, RULE)
        assert found.evidence == pytest.approx(1 / comb(2 * pairs, pairs))


def decided(candidate: Sequence[float], reference: Sequence[float], test: int = 1, direction: str = "max") -> Judgement:
    """The judgement that ends a test, asked after every pair as the engine does."""
    spread = [*reference, *candidate]
    for pairs in range(len(candidate) + 1):
        found = judge(candidate[:pairs], reference[:pairs], direction, test, RULE, spread)
        if found.stance != "repeat":
            return found
    return found


def test_a_clear_gain_is_accepted_after_a_few_pairs_in_either_direction() -> None:
    better, reference = draws(4, 30, 6.0), draws(5, 30)
    up = decided(better, reference)
    down = decided([-each for each in better], [-each for each in reference], direction="min")
    assert (up.stance, up.gain, up.evidence) == (down.stance, down.gain, down.evidence)
    assert up.stance == "accept" and up.gain > 3
    assert int(up.reason.split(" over ")[1].split()[0]) <= 10


def test_a_clear_loss_is_rejected_after_one_pair() -> None:
    found = decided(draws(4, 30, -6.0), draws(5, 30))
    assert found.stance == "reject"
    assert found.reason.startswith("gain -") and " over 1 pair, " in found.reason
    assert found.reason.endswith("more repeats are unlikely to show a gain")


def test_a_later_test_needs_more_than_an_earlier_one() -> None:
    better, reference = draws(6, 12, 2.5), draws(7, 12)
    assert judge(better[:10], reference[:10], "max", 1, RULE).stance == "accept"
    assert judge(better[:10], reference[:10], "max", 5000, RULE).stance == "repeat"


def test_at_most_as_many_pairs_as_allowed_are_asked_for() -> None:
    gains = [0.1, 1.9] * 15
    assert judge(gains[:29], [0.0] * 29, "max", 10**6, RULE).stance == "repeat"
    noisy = [each - 0.5 for each in draws(8, 30, 1.1)]
    last = judge(noisy, [0.0] * 30, "max", 10**6, RULE)
    assert last.stance == "reject" and last.reason.endswith("no more repeats are allowed")


def test_a_test_begins_by_asking_for_a_pair() -> None:
    assert judge([], [], "min", 1, RULE, draws(1, 5)).stance == "repeat"


def test_a_rule_that_allows_too_few_pairs_says_so_at_once() -> None:
    found = judge([], [], "max", 1, NoiseRule(max_repeats=4))
    assert found.stance == "reject"
    assert found.reason == "test 1 needs at least 6 pairs; max_repeats allows 4"


@pytest.mark.parametrize("pairs", [1, 2, 3, 4, 5, 6])
def test_equal_gains_are_no_proof_while_chance_could_have_dealt_them(pairs: int) -> None:
    """Without noise in the pairs a t-test would be certain after two."""
    assert judge([1.5] * pairs, [1.0] * pairs, "max", 1, RULE, [1.0, 1.3, 0.9]).stance == "repeat"


def test_equal_gains_are_accepted_when_there_are_enough() -> None:
    found = decided([1.5] * 30, [1.0] * 30)
    assert found.stance == "accept"
    assert found.reason.endswith("the candidate gave one value on every seed")


def test_no_difference_at_all_is_rejected_after_two_pairs() -> None:
    assert judge([1.0, 2.0], [1.0, 2.0], "max", 1, RULE).stance == "reject"
    assert judge([1.0, 2.0], [1.0, 2.0], "max", 1, RULE, [1.0, 1.0]).stance == "reject"


@pytest.mark.parametrize("value", [nan, inf, -inf, 1e305])
@pytest.mark.parametrize("direction", ["min", "max"])
def test_a_value_that_is_no_number_is_rejected(value: float, direction: str) -> None:
    assert judge([1.0, value], [1.0, 1.0], direction, 1, RULE).stance == "reject"
    assert judge([1.0, 1.0], [1.0, value], direction, 1, RULE).stance == "reject"
    assert not looks_better(value, [1.0, 2.0], direction)


@pytest.mark.parametrize("unit", [1e-300, 1e-160, 1e-9, 1e9, 1e160, 1e290])
def test_the_unit_of_the_metric_does_not_matter(unit: float) -> None:
    better, reference = draws(9, 10, 3.0), draws(10, 10)
    plain = judge(better, reference, "max", 1, RULE, reference)
    other = judge([each * unit for each in better], [each * unit for each in reference], "max", 1, RULE, reference)
    assert other.evidence == pytest.approx(plain.evidence, rel=1e-6)
    assert other.stance == plain.stance


@pytest.mark.parametrize("spread", [[], [1.0], [nan, 1.0], [-500.0, 500.0], [0.0, 0.0]])
def test_what_is_known_of_the_noise_gives_up_no_gain_whatever_it_says(spread: list[float]) -> None:
    """An experiment whose noise has shrunk with its values is not held to the noise that it began with."""
    better, reference = draws(9, 10, 3.0), draws(10, 10)
    for pairs in range(1, 10):
        assert judge(better[:pairs], reference[:pairs], "max", 10**6, RULE, spread).stance == "repeat"


def test_where_zero_lies_does_not_matter() -> None:
    better, reference = draws(9, 10, 3.0), draws(10, 10)
    plain = judge(better, reference, "max", 1, RULE)
    far = judge([each + 1e6 for each in better], [each + 1e6 for each in reference], "max", 1, RULE)
    assert far.evidence == pytest.approx(plain.evidence, rel=1e-6)


def test_a_difference_of_rounding_is_no_gain() -> None:
    values = [0.1 + 0.2, 0.3] * 15
    assert decided(values, [0.3] * 30).stance == "reject"


def test_pairs_of_different_number_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        judge([1.0, 2.0], [1.0], "max", 1, RULE)


def test_values_that_differ_by_rounding_only_do_not_vary() -> None:
    assert not varies([0.1 + 0.2, 0.3, 0.3])
    assert not varies([5.0]) and not varies([]) and not varies([0.0, 0.0])
    assert varies([0.3, 0.3, 0.3001]) and varies([0.0, 1e-200])
    assert varies([1.0, nan])


@pytest.mark.parametrize(("direction", "sign"), [("max", 1.0), ("min", -1.0)])
def test_a_first_run_is_worth_repeating_only_on_the_better_side(direction: str, sign: float) -> None:
    best = [sign * each for each in (1.0, 2.0, 3.0, 4.0, 5.0)]  # sd 1.58
    assert looks_better(sign * 3.8, best, direction)
    assert not looks_better(sign * 3.7, best, direction)
    assert not looks_better(sign * 2.0, best, direction)


def test_one_bad_run_of_the_best_does_not_let_everything_through() -> None:
    assert not looks_better(0.5, [1.0, 1.1, 0.9, 1.0, -500.0], "max")


def test_a_best_that_never_varied_is_beaten_by_anything_strictly_better() -> None:
    assert looks_better(1.0000001, [1.0, 1.0], "max")
    assert not looks_better(1.0, [1.0, 1.0], "max")
    assert looks_better(5.0, [], "max")


def test_all_decisions_can_be_repeated() -> None:
    better, reference = draws(11, 12, 1.0), draws(12, 12)
    assert judge(better, reference, "min", 7, RULE, reference) == judge(better, reference, "min", 7, RULE, reference)
