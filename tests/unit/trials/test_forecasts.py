"""What a trial can find and what it takes, before it runs: power, pairs, runs and hours, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flagstone.errors import FlagstoneError
from flagstone.plans import TrialSpec, place_of, trial_spec_of
from flagstone.trials.lines import RunLine
from flagstone.trials.planning import Baseline, baseline_of, forecast_text, plan_of, refuse_if_hopeless

PLAN: dict[str, Any] = {
    "question": "Does clipping help?",
    "subject": {"mutable": ["train.py"]},
    "harness": {"argv": ["python", "train.py"], "seconds": 60, "gpus": 2},
    "metric": {"name": "val_loss", "direction": "min"},
    "switch": ["--clip", "1"],
    "minimum_effect": 0.02,
}
THREE = [{"pairs": 3, "alpha": 0.05 / 3}]


def spec(**changes: Any) -> TrialSpec:
    return trial_spec_of("clip", Path("/project"), {**PLAN, **changes})


def test_without_a_baseline_what_depends_on_it_is_left_open() -> None:
    found = plan_of(spec())
    assert (found.sd, found.minimum_effect, found.minimum_effect_sd, found.power) == (None, 0.02, None, ())
    assert not found.problem and "comes with the baseline" in forecast_text(spec(), found)


def test_power_and_pairs_with_the_noise_of_the_baseline() -> None:
    """0.02 is one sd: a shift of .71 if the arms do not correlate, of 1 if they correlate by .5."""
    found = plan_of(spec(), Baseline(0.02, 3.6, True))
    assert found.minimum_effect_sd == 1
    assert found.power == pytest.approx((0.499, 0.760), abs=0.004)
    assert found.pairs_needed == (16, 9)
    assert all(chance <= 0.55 for chance in found.reached), "half of the means lie below a true effect of that size"


def test_a_minimum_effect_in_sd_needs_no_baseline_for_its_power() -> None:
    found = plan_of(spec(minimum_effect="1 sd"))
    assert found.power == pytest.approx((0.499, 0.760), abs=0.004) and found.minimum_effect is None
    assert plan_of(spec(minimum_effect="1 sd"), Baseline(0.03, 1)).minimum_effect == 0.03


def test_the_smallest_p_of_each_look() -> None:
    first, last = plan_of(spec()).looks
    assert (first.smallest_p, first.smallest_sign_flip_p) == (1 / 70, 1 / 16)
    assert (last.smallest_p, last.smallest_sign_flip_p) == (1 / 12870, 1 / 256)


def test_several_arms_and_further_registrations_share_α() -> None:
    arms = {"a": {"switch": ["-a"]}, "b": {"switch": ["-b"]}}
    several = spec(switch=None, arms=arms, screen="off")
    assert [look.alpha for look in plan_of(several).looks] == [0.0075, 0.0175]
    third = plan_of(spec(), None, number=3)
    assert [look.alpha for look in third.looks] == [0.015 / 4, 0.035 / 4]
    assert "pre-registration 3 for this metric and contract, so α is 0.0125" in forecast_text(spec(), third)


@pytest.mark.parametrize(
    ("changes", "is_deterministic", "runs"),
    [
        ({}, True, (18, 26)),  # 6 + off 1 + treated 3 + 2 × 4 to 2 × 8
        ({}, False, (22, 30)),
        ({}, None, (18, 30)),
        ({"switch": None}, True, (26, 34)),  # three ideas of a campaign
        ({"switch": None, "gate": "cohens_d"}, True, (24, 36)),
        ({"switch": None, "arms": {"a": {"tree": "x"}, "b": {"switch": ["-b"]}}, "screen": "off"}, True, (21, 33)),
    ],
)
def test_how_many_runs(changes: dict[str, Any], is_deterministic: bool | None, runs: tuple[int, int]) -> None:
    assert plan_of(spec(**changes), Baseline(0.02, 1, is_deterministic)).amounts.runs == runs


def test_hours_come_from_the_limit_until_the_baseline_was_measured() -> None:
    amounts = plan_of(spec()).amounts
    assert (amounts.seconds, amounts.is_measured, amounts.hours) == (60, False, (18 / 60, 30 / 60))
    assert amounts.gpu_hours == (36 / 60, 1)
    measured = plan_of(spec(), Baseline(0.02, 3.6, True)).amounts
    assert measured.hours == pytest.approx((0.018, 0.026)) and measured.is_measured


def test_a_trial_that_would_probably_miss_its_effect_is_refused_with_the_pairs_that_would_do() -> None:
    with pytest.raises(FlagstoneError) as caught:
        refuse_if_hopeless(spec(), Baseline(0.04, 1))
    assert (
        "with a probability of 0.31 only" in caught.value.problem and "30 pairs would have 0.8" in caught.value.problem
    )
    assert "plan `looks` up to 30 pairs" in caught.value.hint and "`underpowered: accept`" in caught.value.hint


@pytest.mark.parametrize("text", ["a: 1\nunderpowered: refuse\nb: 2\n", "a: 1\n"])
def test_the_hint_names_the_line_of_the_plan_in_which_a_person_accepts_it(text: str) -> None:
    where = place_of(Path("/project/trial.yaml"), text, "underpowered")
    for weak in (Baseline(0.04, 1), Baseline(40.0, 1)):
        with pytest.raises(FlagstoneError) as caught:
            refuse_if_hopeless(spec(), weak, where=where)
        assert caught.value.hint.endswith("or accept it: `underpowered: accept`, in /project/trial.yaml:2")


def test_the_pairs_that_would_do_are_enough() -> None:
    wide = spec(looks=[{"pairs": 15, "alpha": 0.015}, {"pairs": 30, "alpha": 0.035}])
    assert plan_of(wide, Baseline(0.04, 1)).power[-1] >= 0.8


def test_an_effect_that_no_affordable_number_of_runs_can_show_is_refused() -> None:
    with pytest.raises(FlagstoneError) as caught:
        refuse_if_hopeless(spec(minimum_effect="0.01 sd"), None)
    assert caught.value.hint.startswith("no affordable number will do")


def test_an_α_that_no_exact_test_can_reach_is_refused_with_the_pairs_that_would_do() -> None:
    with pytest.raises(FlagstoneError) as caught:
        refuse_if_hopeless(spec(looks=THREE), None)
    assert caught.value.problem == ("3 runs against 3 cannot have a p below 0.05 by an exact test, and α is 0.0167")
    assert "a look at 4 pairs or more" in caught.value.hint
    refuse_if_hopeless(spec(looks=[{"pairs": 4, "alpha": 0.05 / 3}]), None)
    refuse_if_hopeless(spec(looks=[{"pairs": 3, "alpha": 0.05}]), None)  # reached exactly


def test_α_is_exhausted_after_many_registrations() -> None:
    with pytest.raises(FlagstoneError):
        refuse_if_hopeless(spec(), Baseline(0.001, 1), number=11)
    refuse_if_hopeless(spec(), Baseline(0.001, 1), number=2)


def test_a_person_may_accept_an_underpowered_trial_and_is_told() -> None:
    accepted = spec(underpowered="accept")
    refuse_if_hopeless(accepted, Baseline(0.04, 1))
    assert "underpowered, and accepted: 8 pairs" in forecast_text(accepted, plan_of(accepted, Baseline(0.04, 1)))


def test_a_baseline_without_noise_gives_no_multiple_of_its_sd() -> None:
    with pytest.raises(FlagstoneError) as caught:
        refuse_if_hopeless(spec(minimum_effect="0.5 sd"), Baseline(0.0, 1))
    assert "one val_loss on every seed" in caught.value.problem and "{seed}" in caught.value.hint
    refuse_if_hopeless(spec(), Baseline(0.0, 1))  # its verdict says what came of it
    assert "every seed gives the baseline one value" in forecast_text(spec(), plan_of(spec(), Baseline(0.0, 1)))


def test_the_gate_of_effect_sizes_has_no_test_and_says_what_it_accepts() -> None:
    found = plan_of(spec(gate="cohens_d"), Baseline(0.04, 1))
    assert found.looks == () and not found.problem
    assert "accepts 32 % of ideas that do nothing" in forecast_text(spec(gate="cohens_d"), found)


def test_a_baseline_of_fewer_than_two_values_tells_nothing() -> None:
    runs = [RunLine("control", f"a{n}", "ok", "d", "now", value, {}, 2.0) for n, value in ((1, 1.0), (2, 3.0))]
    failed = RunLine("control", "a3", "crash", "d", "now", None, {}, 5.0)
    assert baseline_of([]) is None and baseline_of([runs[0], failed]) is None
    found = baseline_of([*runs, failed])
    assert found is not None and (round(found.sd, 6), found.wall_s) == (1.414214, 3.0)
