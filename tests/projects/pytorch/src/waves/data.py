"""Noisy samples of a wave."""

import math
import random


def samples(count: int, seed: int) -> list[tuple[float, float]]:
    source = random.Random(seed)
    points = [source.uniform(-1, 1) for _ in range(count)]
    return [(x, math.sin(3 * x) + source.gauss(0, 0.05)) for x in points]
