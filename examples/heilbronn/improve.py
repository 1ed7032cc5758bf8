"""Proposes points by numeric optimisation: moves some of them, lets the smallest triangle grow, and goes on
from there.

`propose(view, draft)` is called once for each run. It needs numpy and scipy.
"""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

COUNT = 11
STARTS = 500  # for one proposal
AFRESH = 3  # each run of this number forgets the best points
A, B, C = np.array(list(combinations(range(COUNT), 3))).T
ROWS = np.arange(len(A))
SPARE = 1e-13  # so that the decimals that are written down lie in the triangle


def turns(x, y):
    """The area of each triangle, with the sign of the turn from its first corner to its last."""
    return (x[B] - x[A]) * (y[C] - y[A]) - (x[C] - x[A]) * (y[B] - y[A])


def slopes(x, y):
    found = np.zeros((2, len(A), COUNT))
    for p, q, r in ((A, B, C), (B, C, A), (C, A, B)):
        found[0, ROWS, p], found[1, ROWS, p] = y[q] - y[r], x[r] - x[q]
    return np.hstack(list(found))


def spread(points):
    """The points after all have moved so that the smallest triangle is as large as it gets with these turns."""
    signs = np.sign(turns(*points))
    gradient = np.append(np.zeros(2 * COUNT), -1.0)
    inside = np.hstack([-np.eye(COUNT), -np.eye(COUNT), np.zeros((COUNT, 1))])

    def room(z):
        x, y = z[:-1].reshape(2, COUNT)
        return np.concatenate([signs * turns(x, y) - z[-1], 1 - x - y])

    def changes(z):
        x, y = z[:-1].reshape(2, COUNT)
        return np.vstack([np.hstack([signs[:, None] * slopes(x, y), -np.ones((len(A), 1))]), inside])

    found = minimize(
        lambda z: -z[-1],
        np.append(points.ravel(), np.abs(turns(*points)).min()),
        jac=lambda z: gradient,
        constraints={"type": "ineq", "fun": room, "jac": changes},
        bounds=[(0, 1)] * (2 * COUNT) + [(0, 1)],
        method="SLSQP",
        options={"maxiter": 200, "ftol": 1e-13},
    )
    x, y = np.clip(found.x[:-1].reshape(2, COUNT), 0, 1)
    return np.array([x, y]) / max(1.0, float((x + y).max()) + SPARE)


def random_points(chance, count):
    x, y = chance.random((2, count))
    return np.where(x + y > 1, [1 - x, 1 - y], [x, y])


def moved(points, chance):
    """The points, a few of them elsewhere and all of them a little beside."""
    found = points + chance.normal(0, 10 ** chance.uniform(-3, -1), points.shape)
    some = chance.choice(COUNT, chance.integers(0, 4), replace=False)
    found[:, some] = random_points(chance, len(some))
    return found


def propose(view, draft):
    path, chance = Path(draft) / "points.json", np.random.default_rng(view["number"])
    best = np.array([[float(value) for value in point] for point in json.loads(path.read_text())]).T
    size = -1.0 if view["number"] % AFRESH == 0 else float(np.abs(turns(*best)).min())
    for start in range(STARTS):
        is_random = size < 0 or start % 10 == 0
        found = spread(random_points(chance, COUNT) if is_random else moved(best, chance))
        smallest = float(np.abs(turns(*found)).min())
        if smallest > size:
            best, size = found, smallest
    rows = [", ".join(f"{value:.16f}" for value in point) for point in best.T]
    path.write_text("[\n  [" + "],\n  [".join(rows) + "]\n]\n")
    return f"the best of {STARTS} starts, {'afresh' if view['number'] % AFRESH == 0 else 'from the best so far'}"
