"""Tests of the study's own code: the schedules, the gradients, the pairing of the arms, the statistics."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any

import analyse  # type: ignore[import-not-found, unused-ignore]
import make_data  # type: ignore[import-not-found, unused-ignore]
import numpy as np
import train  # type: ignore[import-not-found, unused-ignore]

TRAINING = {
    "hidden": [5],
    "peak_rate": 0.2,
    "momentum": 0.9,
    "batch_rows": 8,
    "steps": 20,
    "record_every": 10,
    "warmup_steps": 4,
}
DESIGN: dict[str, Any] = {"experiment": "warmup", "data": {"classes": 3}, "training": TRAINING}


class Schedules(unittest.TestCase):
    def test_warm_up_climbs_in_a_straight_line_and_then_stays(self) -> None:
        rates = [train.learning_rate(step, "warmup", TRAINING) for step in range(6)]
        np.testing.assert_allclose(rates, [0.05, 0.1, 0.15, 0.2, 0.2, 0.2])

    def test_the_constant_arm_starts_at_the_peak(self) -> None:
        self.assertEqual(train.learning_rate(0, "constant", TRAINING), 0.2)


class Network(unittest.TestCase):
    def test_back_propagation_agrees_with_finite_differences(self) -> None:
        rng = np.random.default_rng(0)
        layers = train.initial_layers(rng, [2, 5, 3])
        features, labels = rng.normal(size=(7, 2)), rng.integers(0, 3, 7)
        weights, slopes = layers[0][0], train.gradients(layers, features, labels)[0][0]
        for place in np.ndindex(*weights.shape):
            before = weights[place]
            weights[place] = before + 1e-6
            above = train.loss_and_error(layers, features, labels)[0]
            weights[place] = before - 1e-6
            below = train.loss_and_error(layers, features, labels)[0]
            weights[place] = before
            self.assertAlmostEqual(slopes[place], (above - below) / 2e-6, places=6)

    def test_a_uniform_guess_costs_the_logarithm_of_the_classes(self) -> None:
        layers = [(np.zeros((2, 3)), np.zeros(3))]
        loss, _ = train.loss_and_error(layers, np.ones((4, 2)), np.array([0, 1, 2, 0]))
        self.assertAlmostEqual(loss, float(np.log(3.0)))


class Runs(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.data = Path(folder.name)
        for part, seed in (("train", 1), ("test", 2)):
            drawn = make_data.spirals(np.random.default_rng(seed), 30, 3, 0.5)
            make_data.write_rows(self.data / f"{part}.csv", *drawn)

    def test_the_same_seed_gives_the_same_curve(self) -> None:
        first, second = (train.train(DESIGN, "warmup", 3, self.data) for _ in range(2))
        self.assertEqual(first, second)

    def test_both_arms_of_a_seed_start_from_the_same_network(self) -> None:
        one, other = (train.train(DESIGN, arm, 3, self.data) for arm in ("constant", "warmup"))
        self.assertEqual(one[0]["test_loss"], other[0]["test_loss"])
        self.assertNotEqual(one[-1]["test_loss"], other[-1]["test_loss"])

    def test_a_run_that_diverges_ends_and_says_so(self) -> None:
        wild = {**DESIGN, "training": {**TRAINING, "peak_rate": 1e200}}
        with np.errstate(all="ignore"):
            curve = train.train(wild, "constant", 3, self.data)
        self.assertEqual(train.record(wild, "constant", 3, self.data, curve)["status"], "invalid")


class Statistics(unittest.TestCase):
    def test_the_sign_flip_test_agrees_with_counting_every_pattern(self) -> None:
        differences = np.array([0.3, -0.1, 0.2, 0.5, 0.05, -0.02])
        signs = 1 - 2 * ((np.arange(64)[:, None] >> np.arange(6)) & 1)
        counted = float(np.mean(signs @ differences >= differences.sum() - 1e-12))
        self.assertEqual(analyse.sign_flip_p(analyse.subset_means(differences)), counted)

    def test_fishers_maize(self) -> None:
        # Fisher (1935), fifteen pairs in eighths of an inch: 863 of 32768 patterns, one-sided
        maize = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=np.float64)
        self.assertEqual(analyse.sign_flip_p(analyse.subset_means(maize)), 863 / 32768)

    def test_the_rule_can_come_out_every_way(self) -> None:
        rule = {"alpha": 0.05, "minimum_effect": 0.02}
        cases = [(0.05, 0.01, 0.09), (0.001, 0.4, 0.01), (-0.05, 0.99, -0.01), (0.01, 0.3, 0.05)]
        self.assertEqual(tuple(analyse.verdict(*case, rule) for case in cases), analyse.VERDICTS)


if __name__ == "__main__":
    unittest.main(verbosity=2)
