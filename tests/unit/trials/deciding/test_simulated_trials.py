"""Whole campaigns through the functions that decide, without a program: how often they are wrong, how often right."""

from __future__ import annotations

import sys
from collections import Counter
from math import comb, sqrt
from pathlib import Path

import pytest

from flagstone.trials.outcomes import Outcome

sys.path.append(str(Path(__file__).parents[4] / "benchmarks"))

from measured.simulated_trials import World, cohens_d_campaigns, confirm_campaigns, outcomes

NULLS = (0.0, 0.0, 0.0)
MANY = 2000


def most_hits(count: int, share: float, chance: float = 0.01) -> int:
    """More hits than this are rarer than `chance`, if each has the probability `share`."""
    left, hits = 1.0, -1
    while left > chance:
        hits += 1
        left -= comb(count, hits) * share**hits * (1 - share) ** (count - hits)
    return hits


def is_near(hits: int, count: int, share: float) -> bool:
    """Whether the hits are within 3.5 standard errors of what is stated."""
    return abs(hits / count - share) < 3.5 * sqrt(share * (1 - share) / count)


def test_two_hundred_campaigns_in_which_nothing_works_end_in_a_paper_one_time_in_twenty_at_most() -> None:
    wrong = sum(each.accepted is not None for each in confirm_campaigns(200, NULLS))
    assert 0 < wrong <= most_hits(200, 0.05)


def test_a_wrong_paper_is_as_rare_as_we_say() -> None:
    ended = list(confirm_campaigns(MANY, NULLS, seed=1))
    assert is_near(sum(each.accepted is not None for each in ended), MANY, 0.03)
    assert 28 <= sum(each.runs for each in ended) / MANY <= 31


def test_two_hundred_campaigns_with_one_real_idea_find_it_and_confirm_hardly_any_other() -> None:
    found = Counter(each.accepted for each in confirm_campaigns(200, (0.0, 2.0, 0.0)))
    assert is_near(found[1], 200, 0.93)
    assert found[0] + found[2] <= 2


@pytest.mark.parametrize(("d", "correlation", "share"), [(1.0, 0.0, 0.36), (1.0, 0.5, 0.66), (2.0, 0.5, 0.998)])
def test_real_ideas_are_found_as_often_as_we_say(d: float, correlation: float, share: float) -> None:
    ended = confirm_campaigns(500, (0.0, d, 0.0), World(correlation=correlation))
    assert is_near(sum(each.accepted == 1 for each in ended), 500, share)


@pytest.mark.parametrize(
    ("d", "word", "share"),
    [
        (0.0, Outcome.INCONCLUSIVE, 0.61),
        (0.0, Outcome.NO_PRACTICAL_EFFECT, 0.31),
        (-1.0, Outcome.HARMFUL, 0.81),
    ],
)
def test_the_words_are_dealt_out_as_we_say(d: float, word: Outcome, share: float) -> None:
    found = outcomes(1000, d, World(correlation=0.5, minimum_effect=0.5))
    assert is_near(found.count(word), 1000, share)


@pytest.mark.parametrize(
    ("world", "share"),
    [
        (World(treated_fails=0.2), 0.014),
        (World(control_fails=0.2), 0.037),
    ],
)
def test_runs_that_fail_do_not_help_an_idea_that_does_nothing(world: World, share: float) -> None:
    assert is_near(outcomes(MANY, 0.0, world).count(Outcome.SUPPORTED), MANY, share)


@pytest.mark.parametrize("sds", [0.0, 0.5, 1.0])
def test_it_does_not_pay_to_crash_rather_than_to_show_a_bad_value(sds: float) -> None:
    supported = outcomes(MANY, 0.0, World(gives_up_above=sds)).count(Outcome.SUPPORTED)
    assert supported <= most_hits(MANY, 0.045)


def test_the_gate_cohens_d_is_as_bad_as_its_warning_says() -> None:
    assert is_near(sum(each.accepted is not None for each in cohens_d_campaigns(MANY, NULLS[:1])), MANY, 0.32)
    assert is_near(sum(each.accepted is not None for each in cohens_d_campaigns(MANY, NULLS)), MANY, 0.55)
