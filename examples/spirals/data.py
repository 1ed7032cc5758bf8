"""Points of two spirals, and which of both each belongs to."""

import math


def points(source, count):
    for _ in range(count):
        label, turn = source.random() < 0.5, source.random()
        angle = 3.5 * turn + (math.pi if label else 0)
        noise = source.gauss(0, 0.08), source.gauss(0, 0.08)
        yield (turn * math.cos(angle) * 2 + noise[0], turn * math.sin(angle) * 2 + noise[1]), float(label)
