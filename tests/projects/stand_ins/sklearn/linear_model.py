"""Linear models."""

from __future__ import annotations

import math


class LogisticRegression:
    def __init__(self, C: float = 1.0, max_iter: int = 100) -> None:
        self.C, self.max_iter = C, max_iter
        self.weights = [0.0, 0.0, 0.0]

    def fit(self, x: list[list[float]], y: list[int]) -> LogisticRegression:
        for _ in range(self.max_iter):
            slopes = [weight / self.C for weight in self.weights[:2]] + [0.0]
            for point, label in zip(x, y, strict=True):
                off = 1 / (1 + math.exp(-self.score(point))) - label
                for number, value in enumerate((*point, 1.0)):
                    slopes[number] += off * value
            step = 1 / (len(x) + 1 / self.C)
            self.weights = [weight - step * slope for weight, slope in zip(self.weights, slopes, strict=True)]
        return self

    def score(self, point: list[float]) -> float:
        return sum(weight * value for weight, value in zip(self.weights, (*point, 1.0), strict=True))

    def predict(self, x: list[list[float]]) -> list[int]:
        return [int(self.score(point) > 0) for point in x]
