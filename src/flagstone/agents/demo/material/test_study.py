"""Tests of the study's own code: gradients, tricks, wrong labels, pairing of the arms, statistics."""

from __future__ import annotations

import unittest
from typing import Any

import analyse  # type: ignore[import-not-found, unused-ignore]
import make_data  # type: ignore[import-not-found, unused-ignore]
import network  # type: ignore[import-not-found, unused-ignore]
import numpy as np
import pairs  # type: ignore[import-not-found, unused-ignore]
import train  # type: ignore[import-not-found, unused-ignore]
import tricks  # type: ignore[import-not-found, unused-ignore]

DESIGN: dict[str, Any] = {
    "experiment": "tricks",
    "conditions": {"noisy": "confirmation"},
    "constants": {
        "mixup": {"alpha": 1.0},
        "averaging": {"from_share": 0.5},
        "clipping": {"norm": 0.1},
        "look-ahead": {"steps": 2, "alpha": 0.5},
    },
    "data": {"data_seed": 3},
    "training": {
        "hidden": [6],
        "rate": 0.1,
        "momentum": 0.9,
        "batch_rows": 10,
        "epochs": 4,
        "record_every_epochs": 2,
    },
}


def trick(arm: str, steps: int = 10, **more: Any) -> Any:
    constants = {**DESIGN["constants"].get(arm, {}), "every_steps": 1, **more}
    return tricks.ARMS[arm](constants, np.zeros(2), steps, np.random.default_rng(0))


def data() -> Any:
    rng = np.random.default_rng(1)
    labels = np.arange(30) % 10
    given = make_data.wrong_labels(rng, labels, 0.2)
    return train.Data(rng.uniform(size=(30, 5)), labels, given, rng.uniform(size=(20, 5)), np.arange(20) % 10)


class Network(unittest.TestCase):
    def test_back_propagation_agrees_with_finite_differences(self) -> None:
        rng, widths = np.random.default_rng(0), [3, 5, 4]
        weights = network.initial_weights(rng, widths)
        layers = network.layers_of(weights, widths)
        features, targets = rng.normal(size=(7, 3)), rng.dirichlet(np.ones(4), 7)
        found = network.gradient(layers, features, targets)
        for place in range(len(weights)):
            before, losses = weights[place], []
            for shift in (1e-6, -1e-6):
                weights[place] = before + shift
                losses.append(network.cross_entropy(network.outputs_of(layers, features)[-1], targets))
            weights[place] = before
            self.assertAlmostEqual(found[place], (losses[0] - losses[1]) / 2e-6, places=6)

    def test_an_epoch_uses_each_row_once(self) -> None:
        drawn = network.batches(np.random.default_rng(0), 20, 5)
        self.assertEqual(sorted(np.concatenate([next(drawn) for _ in range(4)])), list(range(20)))


class Tricks(unittest.TestCase):
    def test_mixup_mixes_labels_as_it_mixes_images(self) -> None:
        features = np.eye(4)
        mixed, targets = trick("mixup").batch(features, features.copy())
        np.testing.assert_array_equal(mixed, targets)
        np.testing.assert_allclose(targets.sum(axis=1), 1.0)
        self.assertLess(targets.max(), 1.0)

    def test_averaging_tests_the_mean_of_the_last_weights(self) -> None:
        average = trick("averaging")
        for step in range(1, 11):
            average.after(step, np.full(2, float(step)))
        np.testing.assert_allclose(average.weights_to_test(np.zeros(2)), np.mean([6, 7, 8, 9, 10]))

    def test_clipping_shortens_a_long_gradient_and_leaves_a_short_one(self) -> None:
        clipping = trick("clipping")
        np.testing.assert_allclose(clipping.slope(np.array([3.0, 4.0])), [0.06, 0.08])
        np.testing.assert_array_equal(clipping.slope(np.array([0.03, 0.04])), [0.03, 0.04])
        self.assertEqual(clipping.effect_counts()["clipped_steps"], 1)

    def test_look_ahead_goes_back_part_of_the_way(self) -> None:
        ahead, weights = trick("look-ahead"), np.zeros(2)
        for step in (1, 2):
            weights += 1.0
            ahead.after(step, weights)
        np.testing.assert_allclose(weights, 1.0)


class Runs(unittest.TestCase):
    def test_exactly_the_planned_share_of_labels_is_wrong(self) -> None:
        labels = np.arange(150) % 10
        given = make_data.wrong_labels(np.random.default_rng(0), labels, 0.2)
        self.assertEqual(int(np.sum(given != labels)), 30)

    def test_the_same_seed_gives_the_same_run(self) -> None:
        for arm in tricks.ARMS:
            first, second = (train.train(DESIGN, "noisy", arm, 3, data()) for _ in range(2))
            self.assertEqual((first.curve, first.confusion), (second.curve, second.confusion))

    def test_all_arms_of_a_seed_start_from_the_same_network(self) -> None:
        ends = [train.train(DESIGN, "noisy", arm, 3, data()).curve for arm in tricks.ARMS]
        self.assertEqual(len({str(curve[0]) for curve in ends}), 1)
        self.assertEqual(len({str(curve[-1]) for curve in ends}), len(tricks.ARMS))

    def test_a_run_that_diverges_ends_and_says_so(self) -> None:
        wild = {**DESIGN, "training": {**DESIGN["training"], "rate": 1e200}}
        with np.errstate(all="ignore"):
            found = train.record(wild, "noisy", "plain", 3, train.train(wild, "noisy", "plain", 3, data()))
        self.assertEqual(found["status"], "invalid")


class Statistics(unittest.TestCase):
    maize = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=np.float64)

    def test_fishers_maize(self) -> None:
        self.assertEqual(pairs.sign_flip_p(self.maize), 863 / 32768)
        self.assertAlmostEqual(2.0 * pairs.paired_t(self.maize)[2], 0.0497029440, places=9)

    def test_students_sleep(self) -> None:
        gains = np.array([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
        self.assertAlmostEqual(2.0 * pairs.paired_t(gains)[2], 0.002832890197384, places=12)
        np.testing.assert_allclose(pairs.interval(gains), [0.7001142367, 2.4598857633], atol=1e-9)

    def test_holm_corrects_in_steps(self) -> None:
        np.testing.assert_allclose(pairs.holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])

    def test_the_rule_can_come_out_every_way(self) -> None:
        rule = {"alpha": 0.05, "minimum_effect": 1.0}
        cases = [(2.0, 0.01, 1.0, 3.0), (-2.0, 1.0, 0.01, -0.5), (0.2, 0.9, 0.4, 0.8), (0.9, 0.2, 1.0, 2.0)]
        names = ("mean", "p_corrected", "p_harm_corrected", "upper_bound_95")
        found = [analyse.verdict({**dict(zip(names, case, strict=True)), "varies": True}, rule) for case in cases]
        self.assertEqual(found, ["SUPPORTED", "HARMFUL", "NO PRACTICAL EFFECT", "INCONCLUSIVE"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
