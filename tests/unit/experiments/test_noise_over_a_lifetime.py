"""Whole experiments: how often one of many edits without a gain is kept, and how often a true gain is.

The engine's own judge decides; only what a run comes to is drawn. The seeds are fixed, so that no run of the tests is
unlucky. `benchmarks/noise.py` has more experiments, and `benchmarks/noise_in_engine.py` runs the whole engine.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from math import comb
from pathlib import Path
from random import Random

import pytest

from flagstone.experiments.engine.comparison import Comparison
from flagstone.experiments.ledger import progress
from flagstone.plans.spec import NoiseRule

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from measured.noisy_loops import DRAWS, IN_TIME, Experiment, World, tally

ALPHA = NoiseRule().alpha
NULLS = [0.0] * 200
WORLDS = {
    "a gain is down": World(direction="min"),
    "an edit doubles the noise": World(candidate_sd=2.0),
    "an edit takes half of the noise away": World(candidate_sd=0.5),
    "a seed moves both of a pair alike": World(common=0.9),
    "heavy tails": World(DRAWS["t3"]),
    "outliers in the bad direction": World(DRAWS["lognormal"], direction="min"),
    "outliers in the good direction": World(DRAWS["lognormal, good outliers"], direction="min"),
    "noise of two values": World(DRAWS["two values"]),
    "noise without tails, and twice of it": World(DRAWS["uniform"], candidate_sd=2.0),
}


def test_over_200_edits_without_a_gain_few_experiments_keep_one_and_the_gain_that_follows_is_kept() -> None:
    found = tally(World(repeats=True), [*NULLS, 3.0], loops=80, seed=1)
    assert found.wrong <= ALPHA
    assert found.power >= 0.95
    assert found.pairs < 12
    assert found.runs < 1.5


def most_by_chance(chance: float, loops: int) -> float:
    """The share of loops that something of this chance is seen in at most, in 99 of 100 such simulations."""
    total, count = 0.0, -1
    while total < 0.99:
        count += 1
        total += comb(loops, count) * chance**count * (1 - chance) ** (loops - count)
    return count / loops


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("independent", ALPHA),
        ("better by 0.03 sd a run", 2 * ALPHA),
        ("worse by 0.03 sd a run", 2 * ALPHA),
        ("one step of 1.5 sd, better", 2 * ALPHA),
        ("one step of 1.5 sd, worse", 2 * ALPHA),
        ("AR(0.5)", 2 * ALPHA),
    ],
)
def test_noise_that_changes_in_time_keeps_few_edits_without_a_gain(name: str, most: float) -> None:
    found = tally(IN_TIME[name], [*[0.0] * 60, 3.0], loops=100, seed=12)
    assert found.wrong <= most
    assert found.power >= 0.9


def test_a_best_that_is_not_measured_again_keeps_what_only_drifted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above would notice: values of the best that are cached keep a null edit in most of the loops."""
    monkeypatch.setattr(progress, "is_exact_after", lambda before, old, new: True)
    monkeypatch.setattr(Comparison, "check_drift", lambda self: None)
    monkeypatch.setattr(Comparison, "is_checked", True)
    assert tally(IN_TIME["better by 0.03 sd a run"], [0.0] * 60, 40, seed=14).wrong > 0.3


@pytest.mark.slow
def test_over_2000_edits_without_a_gain_few_experiments_keep_one() -> None:
    found = tally(World(direction="min"), [0.0] * 2000, loops=40, seed=2)
    assert found.wrong <= ALPHA
    assert found.runs < 2


@pytest.mark.parametrize("name", WORLDS)
def test_other_noise_is_told_from_a_gain_as_well(name: str) -> None:
    found = tally(replace(WORLDS[name], repeats=True), [*NULLS, 3.0], loops=40, seed=3)
    assert found.wrong <= ALPHA
    assert found.power >= 0.90
    assert found.runs < 2


@pytest.mark.parametrize("name", WORLDS)
def test_noise_that_a_seed_does_not_repeat_is_told_from_a_gain_as_well(name: str) -> None:
    found = tally(WORLDS[name], [*NULLS, 3.0], loops=20, seed=3)
    assert found.wrong <= most_by_chance(ALPHA, 20)
    assert found.power >= 0.90
    assert found.runs < 2.75


def test_a_gain_of_three_sd_is_found_at_once_when_it_comes_first() -> None:
    found = tally(World(), [3.0], loops=500, seed=4)
    assert found.power >= 0.95
    assert found.pairs < 9


def test_a_gain_of_two_sd_is_mostly_kept_and_one_of_one_sd_sometimes() -> None:
    assert 0.75 <= tally(World(), [*NULLS, 2.0], loops=100, seed=5).power <= 0.95
    assert 0.05 <= tally(World(), [*NULLS, 1.0], loops=100, seed=6).power <= 0.30


def test_where_a_seed_moves_both_of_a_pair_a_gain_of_one_sd_is_mostly_kept() -> None:
    assert tally(World(common=0.9), [*NULLS, 1.0], loops=60, seed=7).power >= 0.65


@pytest.mark.parametrize("gain", [0.7, 1.0, 3.0])
def test_what_luck_a_winner_had_keeps_nothing_wrongly_later(gain: float) -> None:
    """The smaller the gain, the luckier its winners: their repeats are the reference of everything that follows."""
    assert tally(World(), [*[gain] * 10, *NULLS], loops=40, seed=8).wrong <= ALPHA


def test_gains_are_still_found_after_other_gains() -> None:
    assert tally(World(), [*[3.0, *[0.0] * 20] * 5, 3.0], loops=60, seed=9).power >= 0.9


def test_a_smaller_alpha_keeps_less() -> None:
    def strict(world: World, random: Random) -> Experiment:
        return Experiment(world, random, NoiseRule(alpha=0.0001))

    assert tally(World(), [2.0], 200, 11, strict).power < tally(World(), [2.0], 200, 11).power
