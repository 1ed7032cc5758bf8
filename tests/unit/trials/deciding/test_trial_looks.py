"""Looks of the gate `confirm`, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan
from random import Random

import pytest
from trial_runs import CONTROL, MINIMUM_EFFECT, TREATED, look, runs

from flagstone.statistics import Direction
from flagstone.trials.deciding import LookRule, look_result, verdict
from flagstone.trials.outcomes import Outcome

Values = Sequence[float | None]


def outcome(
    control: Values, treated: Values, minimum_effect: float = MINIMUM_EFFECT, direction: Direction = "min"
) -> Outcome:
    last = look(control, treated, minimum_effect=minimum_effect, direction=direction)
    return verdict(last, minimum_effect)[0]


def test_the_first_look_of_the_worked_trial_goes_on() -> None:
    first = look(CONTROL[:4], TREATED[:4], alpha=0.015)
    assert first.mean == pytest.approx(0.02645, abs=5e-13)
    assert first.p == pytest.approx(0.0352365826, abs=5e-11)
    assert not first.is_accepted


def test_the_second_look_of_the_worked_trial_accepts() -> None:
    second = look(CONTROL, TREATED)
    assert second.mean == pytest.approx(0.0278625, abs=5e-13)
    assert second.sd == pytest.approx(0.0187330066, abs=5e-11)
    assert second.p == pytest.approx(0.0020006685, abs=5e-11)
    assert second.is_accepted
    assert verdict(second, MINIMUM_EFFECT)[0] == Outcome.SUPPORTED


def test_the_worked_trial_with_a_failed_run() -> None:
    treated_failed = look(CONTROL, [*TREATED[:2], None, *TREATED[3:]])
    assert treated_failed.pairs[2].improvement == pytest.approx(-0.0111, abs=1e-15)
    assert treated_failed.mean == pytest.approx(0.0205875, abs=5e-13)
    assert treated_failed.p == pytest.approx(0.0146362875, abs=5e-11)
    assert verdict(treated_failed, MINIMUM_EFFECT)[0] == Outcome.SUPPORTED
    control_failed = look([*CONTROL[:4], None, *CONTROL[5:]], TREATED)
    assert control_failed.mean == pytest.approx(0.0224625, abs=5e-13)
    assert control_failed.p == pytest.approx(0.0075629323, abs=5e-11)


def test_a_p_of_exactly_alpha_is_accepted() -> None:
    p = look(CONTROL, TREATED).p
    assert p is not None
    assert look(CONTROL, TREATED, alpha=p).is_accepted
    assert not look(CONTROL, TREATED, alpha=p * (1 - 1e-9)).is_accepted


def test_a_mean_of_exactly_the_minimum_effect_is_accepted() -> None:
    exact = look((0.70, 0.71, 0.72, 0.74), (0.679, 0.691, 0.698, 0.722))
    assert exact.mean is not None
    assert exact.mean < 0.02  # by the last digit of a float only
    assert exact.is_accepted
    assert not look((0.70, 0.71, 0.72, 0.74), (0.679, 0.691, 0.698, 0.72201)).is_accepted


def test_a_clear_effect_that_is_too_small_to_be_worth_having_is_not_accepted() -> None:
    control, treated = (0.52, 0.53, 0.54, 0.55), (0.5101, 0.52, 0.5301, 0.54)
    found = look(control, treated)
    assert found.p is not None
    assert found.p < 0.001
    assert not found.is_accepted
    assert "is below the minimum effect 0.02" in found.reason
    assert verdict(found, MINIMUM_EFFECT)[0] == Outcome.NO_PRACTICAL_EFFECT


@pytest.mark.parametrize(
    ("control", "treated"),
    [
        ((0.7, 0.8, 0.9, 0.6), (0.6, 0.7, 0.8, 0.5)),  # the same improvement on every seed, but for rounding
        ((10000.1, 10000.2, 10000.3, 10000.4), (10000.09, 10000.19, 10000.29, 10000.39)),  # small beside its values
        ((0.7, 0.7, 0.7, 0.7), (0.5, 0.4, 0.6, 0.5)),
        ((0.7, 0.8, 0.9, 0.6), (0.5, 0.5, 0.5, 0.5)),
        ((0.7, 0.8, 0.9, 0.6), (0.5, 0.5, None, 0.5)),
        ((0.7, 0.7, 0.7, 0.7), (0.7, 0.7, 0.7, 0.7)),
        ((0.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0)),
    ],
)
def test_values_that_the_seed_does_not_reach_are_never_evidence(control: Values, treated: Values) -> None:
    found = look(control, treated)
    assert (found.p, found.is_accepted, found.is_degenerate) == (None, False, True)
    outcome, reason = verdict(found, MINIMUM_EFFECT)
    assert (outcome, "the seed does not reach the code" in reason) == (Outcome.INCONCLUSIVE, True)


def test_a_seed_that_moves_both_arms_alike_is_not_said_to_move_nothing() -> None:
    _, reason = verdict(look((0.7, 0.8, 0.9, 0.6), (0.6, 0.7, 0.8, 0.5)), MINIMUM_EFFECT)
    assert reason.startswith("every seed gives the same improvement")
    assert verdict(look((0.7, 0.7, 0.7, 0.7), (0.5, 0.4, 0.6, 0.5)), MINIMUM_EFFECT)[1] == (
        "the seed does not reach the code"
    )


def test_more_than_half_of_the_pairs_without_a_value_decide_nothing() -> None:
    half = look((0.7, 0.8, 0.9, 0.6), (None, None, 0.5, 0.2))
    assert half.p is not None
    more = look((0.7, 0.8, None, 0.6), (None, None, 0.5, 0.2))
    assert (more.p, more.is_accepted, more.is_degenerate) == (None, False, False)
    assert verdict(more, MINIMUM_EFFECT) == (Outcome.INCONCLUSIVE, "3 of 4 pairs have a failed run")
    assert outcome((None,) * 4, (None,) * 4) == outcome((0.7, 0.8, 0.9, 0.6), (None,) * 4) == Outcome.INCONCLUSIVE


def test_one_pair_has_no_sd_no_p_and_no_verdict() -> None:
    one = look((0.7,), (0.1,))
    assert (one.sd, one.p, one.is_accepted) == (None, None, False)
    assert verdict(one, MINIMUM_EFFECT) == (Outcome.INCONCLUSIVE, "one pair has no sd")


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_a_value_that_is_not_finite_counts_as_a_failure(value: float) -> None:
    assert look((0.7, 0.8, 0.9, 0.6), (0.5, 0.7, value, 0.5)) == look((0.7, 0.8, 0.9, 0.6), (0.5, 0.7, None, 0.5))


def test_the_words_are_tried_in_their_order() -> None:
    control = (0.70, 0.72, 0.68, 0.71, 0.69, 0.70, 0.73, 0.67)
    noise = (0.003, -0.002, 0.001, -0.003, 0.002, -0.001, 0.004, -0.004)

    def treated(gain: float, times: float = 1) -> list[float]:
        return [x - gain - times * each for x, each in zip(control, noise, strict=True)]

    assert outcome(control, treated(0.05)) == Outcome.SUPPORTED
    assert outcome(control, treated(-0.05)) == Outcome.HARMFUL
    assert outcome(control, treated(0.0)) == Outcome.NO_PRACTICAL_EFFECT
    assert outcome(control, treated(0.01)) == Outcome.NO_PRACTICAL_EFFECT  # real, but not worth having
    assert outcome(control, treated(-0.001)) == Outcome.NO_PRACTICAL_EFFECT  # worse, but not for sure
    assert (
        outcome(control, treated(0.0, times=20)) == outcome(control, treated(-0.01, times=20)) == Outcome.INCONCLUSIVE
    )
    assert outcome(control, treated(0.05), direction="max") == Outcome.HARMFUL


def test_what_was_edited_after_its_registration_can_never_be_supported() -> None:
    word, reason = verdict(look(CONTROL, TREATED), MINIMUM_EFFECT, "trial.yaml was edited")
    assert word == Outcome.INCONCLUSIVE
    assert reason.endswith("exploratory only: trial.yaml was edited")


def random_values(random: Random) -> tuple[list[float | None], list[float | None]]:
    """Two arms of eight with 10 % failures, sometimes with a real gain."""
    gain = random.choice([-1.0, 0.0, 1.0, 2.0])
    arms = [[random.gauss(middle, 1) for _ in range(8)] for middle in (5.0, 5.0 - gain)]
    control, treated = ([None if random.random() < 0.1 else value for value in arm] for arm in arms)
    return control, treated


def mean_of(control: Values, treated: Values) -> float:
    mean = look(control, treated).mean
    assert mean is not None
    return mean


def test_turning_the_direction_round_turns_everything_round() -> None:
    random = Random(3)
    for _ in range(200):
        control, treated = random_values(random)
        turned = [[None if value is None else -value for value in arm] for arm in (control, treated)]
        ours, theirs = look(control, treated), look(*turned, direction="max")
        assert (ours.mean, ours.p, ours.is_accepted) == (theirs.mean, theirs.p, theirs.is_accepted)
        assert verdict(ours, 0.02) == verdict(theirs, 0.02)


def test_the_order_of_pairs_does_not_matter() -> None:
    random = Random(4)
    for _ in range(200):
        control, treated = random_values(random)
        order = random.sample(range(8), 8)
        ours, theirs = look(control, treated), look([control[i] for i in order], [treated[i] for i in order])
        assert (ours.p, ours.mean) == (pytest.approx(theirs.p), pytest.approx(theirs.mean))
        assert verdict(ours, 0.02)[0] == verdict(theirs, 0.02)[0]


def test_a_treated_value_that_is_worse_never_raises_the_mean_improvement() -> None:
    random = Random(5)
    for _ in range(500):
        control, treated = random_values(random)
        place = random.randrange(8)
        worse = [
            value if value is None or index != place else value + random.expovariate(1)
            for index, value in enumerate(treated)
        ]
        assert mean_of(control, worse) <= mean_of(control, treated) + 1e-12


def test_a_treated_run_that_fails_instead_of_having_a_value_never_raises_it_unless_it_was_the_worst_of_all() -> None:
    random = Random(7)
    for _ in range(500):
        control, treated = random_values(random)
        place = random.randrange(8)
        worst = max(value for value in (*control, *treated) if value is not None)
        if treated[place] != worst:
            failed = [*treated[:place], None, *treated[place + 1 :]]
            assert mean_of(control, failed) <= mean_of(control, treated) + 1e-12


def test_a_control_run_that_fails_never_helps_an_improvement() -> None:
    random = Random(6)
    for _ in range(500):
        control, treated = random_values(random)
        place = random.randrange(8)
        gain = look(control, treated).pairs[place].improvement
        worst = max(value for value in (*control, *treated) if value is not None)
        if gain is not None and gain >= 0 and control[place] != worst:
            failed = [*control[:place], None, *control[place + 1 :]]
            assert mean_of(failed, treated) <= mean_of(control, treated) + 1e-12


def test_a_look_keeps_the_rule_that_it_was_held_to() -> None:
    rule = LookRule(1, 0.005, 0.02, "min")
    found = look_result("idea2", runs("control", CONTROL[:4]), runs("idea2", TREATED[:4]), rule)
    assert (found.arm, found.number, found.alpha) == ("idea2", 1, 0.005)
