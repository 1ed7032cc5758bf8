"""Proposes packings by numeric optimisation: moves some circles of the best packing, and lets all grow again.

`propose(view, draft)` is called once for each run. It needs numpy and scipy.
"""

import json
import time
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

COUNT = 26
SECONDS = 20  # for one proposal
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


def propose(view, draft):
    path, chance = Path(draft) / "packing.json", np.random.default_rng(view["number"])
    here, best, tries, end = read(path), None, 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        tries += 1
        centers = here[:2].copy()
        moved = chance.choice(COUNT, chance.integers(1, 6), replace=False)
        centers[:, moved] = chance.random((2, len(moved)))
        centers += chance.normal(0, 0.01, centers.shape)
        if chance.random() < 0.4:
            centers = chance.random((2, COUNT))
        found = grown(np.clip(centers, 0.02, 0.98))
        if found is not None and (best is None or found[2].sum() > best[2].sum()):
            best = found
    if best is None:
        return f"none of {tries} starts led to a packing"
    path.write_text(written(best))
    return f"the best of {tries} starts, from the best packing and from random ones"
