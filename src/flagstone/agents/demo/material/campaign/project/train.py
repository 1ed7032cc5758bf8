"""Trains a small network on a few digits, one label in five wrong, and prints its test error.

python train.py --seed 42
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

DIGITS = Path(__file__).parent / "digits.csv.gz"
CLASSES, HIDDEN = 10, 64
TRAINING_IMAGES, TEST_IMAGES = 300, 800
WRONG_SHARE = 0.2
EPOCHS, BATCH, RATE, MOMENTUM = 60, 20, 0.1, 0.9


def read_data(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Training images, their labels of which some are wrong, test images and their labels."""
    digits = np.loadtxt(DIGITS, delimiter=",", skiprows=1)
    images, labels = digits[:, :64] / 16.0, digits[:, 64].astype(int)
    test = np.random.default_rng(0).permutation(len(labels))[:TEST_IMAGES]
    pool = rng.permutation(np.setdiff1d(np.arange(len(labels)), test))[:TRAINING_IMAGES]
    given = labels[pool].copy()
    wrong = rng.permutation(len(pool))[: round(WRONG_SHARE * len(pool))]
    given[wrong] = (given[wrong] + rng.integers(1, CLASSES, len(wrong))) % CLASSES
    return images[pool], np.eye(CLASSES)[given], images[test], labels[test]


def initial_weights(rng: np.random.Generator, inputs: int) -> list[np.ndarray]:
    widths = [(inputs, HIDDEN), (HIDDEN, CLASSES)]
    return [
        part
        for rows, columns in widths
        for part in (rng.normal(0, np.sqrt(2 / rows), (rows, columns)), np.zeros(columns))
    ]


def scores_of(weights: list[np.ndarray], images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The hidden layer and the scores of each class."""
    hidden = np.maximum(images @ weights[0] + weights[1], 0)
    return hidden, hidden @ weights[2] + weights[3]


def probabilities(scores: np.ndarray) -> np.ndarray:
    exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True)


def gradient(weights: list[np.ndarray], images: np.ndarray, targets: np.ndarray) -> list[np.ndarray]:
    hidden, scores = scores_of(weights, images)
    delta = (probabilities(scores) - targets) / len(targets)
    back = (delta @ weights[2].T) * (hidden > 0)
    return [images.T @ back, back.sum(axis=0), hidden.T @ delta, delta.sum(axis=0)]


def train(options: argparse.Namespace) -> None:
    rng = np.random.default_rng(options.seed)
    images, targets, test_images, test_labels = read_data(rng)
    weights = initial_weights(rng, images.shape[1])
    speeds = [np.zeros_like(part) for part in weights]
    steps = 0
    for _ in range(options.epochs):
        order = rng.permutation(len(images))
        for start in range(0, len(images), BATCH):
            batch = order[start : start + BATCH]
            slopes = gradient(weights, images[batch], targets[batch])
            for speed, slope, part in zip(speeds, slopes, weights, strict=True):
                speed *= MOMENTUM
                speed -= RATE * slope
                part += speed
            steps += 1
    scores = scores_of(weights, test_images)[1]
    truth = probabilities(scores)[np.arange(len(test_labels)), test_labels]
    numbers = {
        "train_images": steps * BATCH,
        "test_error": 100 * np.mean(scores.argmax(axis=1) != test_labels),
        "test_loss": -np.mean(np.log(truth + 1e-12)),
    }
    sys.stdout.write("".join(f"{name}: {value:.6g}\n" for name, value in numbers.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="fewer, to see whether it runs at all")
    train(parser.parse_args())
