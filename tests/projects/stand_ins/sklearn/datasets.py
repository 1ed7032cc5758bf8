"""Made data."""

from __future__ import annotations

import math
import random


def make_moons(n_samples: int, noise: float, random_state: int) -> tuple[list[list[float]], list[int]]:
    source = random.Random(random_state)
    points, labels = [], []
    for number in range(n_samples):
        label, angle = number % 2, source.uniform(0, math.pi)
        x, y = (1 - math.cos(angle), 0.5 - math.sin(angle)) if label else (math.cos(angle), math.sin(angle))
        points.append([x + source.gauss(0, noise), y + source.gauss(0, noise)])
        labels.append(label)
    return points, labels
