"""The network of the study: fully connected, with all parameters in one flat vector."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Layer = tuple[Floats, Floats]


def layers_of(vector: Floats, widths: list[int]) -> list[Layer]:
    """The weights and offsets of every layer, as views of the vector."""
    layers, start = [], 0
    for rows, columns in pairwise(widths):
        middle, end = start + rows * columns, start + (rows + 1) * columns
        layers.append((vector[start:middle].reshape(rows, columns), vector[middle:end]))
        start = end
    return layers


def initial_weights(rng: np.random.Generator, widths: list[int]) -> Floats:
    """Normal weights scaled for rectifiers (He et al., 2015), and zero offsets."""
    vector = np.zeros(sum((rows + 1) * columns for rows, columns in pairwise(widths)))
    for weights, _ in layers_of(vector, widths):
        weights[:] = rng.normal(0.0, np.sqrt(2.0 / len(weights)), weights.shape)
    return vector


def outputs_of(layers: list[Layer], features: Floats) -> list[Floats]:
    """The input, the output of every hidden layer, and the scores of the last layer."""
    outputs = [features]
    for number, (weights, offsets) in enumerate(layers, 1):
        scores = outputs[-1] @ weights + offsets
        outputs.append(scores if number == len(layers) else np.maximum(scores, 0.0))
    return outputs


def log_probabilities(scores: Floats) -> Floats:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def cross_entropy(scores: Floats, targets: Floats) -> float:
    """The mean cross-entropy in nats; each row of the targets is a distribution over the classes."""
    return float(-np.mean(np.sum(targets * log_probabilities(scores), axis=1)))


def gradient(layers: list[Layer], features: Floats, targets: Floats) -> Floats:
    """The gradient of the mean cross-entropy, as one flat vector, by back-propagation."""
    outputs = outputs_of(layers, features)
    delta = (np.exp(log_probabilities(outputs[-1])) - targets) / len(targets)
    parts: list[Floats] = []
    for number in range(len(layers) - 1, -1, -1):
        parts[:0] = [(outputs[number].T @ delta).ravel(), delta.sum(axis=0)]
        if number:
            delta = (delta @ layers[number][0].T) * (outputs[number] > 0.0)
    return np.concatenate(parts)


def batches(rng: np.random.Generator, rows: int, batch_rows: int) -> Iterator[npt.NDArray[np.int64]]:
    """Batches without end. Every epoch uses each row once, in a new order; an incomplete batch is left out."""
    while True:
        order = rng.permutation(rows)
        for start in range(0, rows - batch_rows + 1, batch_rows):
            yield order[start : start + batch_rows]
