"""Proposes packings by numeric optimisation: moves some circles, lets all grow again, and goes on from there.

`propose(view, draft)` is called once for each run. It needs numpy and scipy.
"""

import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

COUNT = 26
STARTS = 100  # for one proposal
AFRESH = 3  # each run of this number forgets the best packing
ONE, TWO = np.triu_indices(COUNT, 1)
PAIRS = np.arange(len(ONE))
SPARE = 1e-12  # so that the decimals that are written down hold exactly


def room(z):
    """How far the circles are from the walls and from each other, each at least 0."""
    x, y, r = z.reshape(3, COUNT)
    apart = np.hypot(x[ONE] - x[TWO], y[ONE] - y[TWO]) - r[ONE] - r[TWO]
    return np.concatenate([x - r, y - r, 1 - x - r, 1 - y - r, apart])


def slopes(z):
    x, y, _ = z.reshape(3, COUNT)
    same, none = np.eye(COUNT), np.zeros((COUNT, COUNT))
    walls = [[same, none, -same], [none, same, -same], [-same, none, -same], [none, -same, -same]]
    dx, dy = x[ONE] - x[TWO], y[ONE] - y[TWO]
    apart = np.maximum(np.hypot(dx, dy), 1e-12)
    pairs = np.zeros((3, len(ONE), COUNT))
    for axis, values in enumerate((dx / apart, dy / apart)):
        pairs[axis, PAIRS, ONE], pairs[axis, PAIRS, TWO] = values, -values
    pairs[2, PAIRS, ONE] = pairs[2, PAIRS, TWO] = -1
    return np.vstack([np.hstack(row) for row in walls] + [np.hstack(list(pairs))])


def grown(centers):
    """The circles after all of them have moved and grown as far as they can. None if that fails."""
    start = np.concatenate([*centers, np.full(COUNT, 0.02)])
    gradient = np.concatenate([np.zeros(2 * COUNT), -np.ones(COUNT)])
    found = minimize(
        lambda z: -z[2 * COUNT :].sum(),
        start,
        jac=lambda z: gradient,
        constraints={"type": "ineq", "fun": room, "jac": slopes},
        bounds=[(0, 1)] * (2 * COUNT) + [(1e-6, 0.5)] * COUNT,
        method="SLSQP",
        options={"maxiter": 200, "ftol": 1e-12},
    )
    z = found.x.copy()
    z[2 * COUNT :] += min(0.0, float(room(z).min())) - SPARE
    return z.reshape(3, COUNT) if room(z).min() >= 0 and z[2 * COUNT :].min() > 0 else None


def read(path):
    return np.array([[float(value) for value in circle] for circle in json.loads(path.read_text())]).T


def written(circles):
    rows = [", ".join(f"{value:.16f}" for value in circle) for circle in circles.T]
    return "[\n  [" + "],\n  [".join(rows) + "]\n]\n"


def moved(circles, chance):
    """The centers of a packing, a few of them elsewhere and all of them a little beside."""
    centers = circles[:2].copy()
    some = chance.choice(COUNT, chance.integers(0, 4), replace=False)
    centers[:, some] = chance.random((2, len(some)))
    return centers + chance.normal(0, 10 ** chance.uniform(-3, -1.3), centers.shape)


def propose(view, draft):
    path, chance = Path(draft) / "packing.json", np.random.default_rng(view["number"])
    best = None if view["number"] % AFRESH == 0 else read(path)
    for start in range(STARTS):
        is_random = best is None or start % 10 == 0
        centers = chance.random((2, COUNT)) if is_random else moved(best, chance)
        found = grown(np.clip(centers, 0.02, 0.98))
        if found is not None and (best is None or found[2].sum() > best[2].sum()):
            best = found
    if best is None:
        return f"none of {STARTS} starts led to a packing"
    path.write_text(written(best))
    return f"the best of {STARTS} starts, {'afresh' if view['number'] % AFRESH == 0 else 'from the best so far'}"
